import { tiers } from "@deeplens/contracts";
import { missing, type Operation, operationDone, ownResource, wantedTier } from "@deeplens/worker";
import { bytesUpTo } from "./bucket.ts";
import { type AdminAccess, setBucketQuota } from "./minio-admin/index.ts";
import { keyOf, storageNames, storagePorts } from "./resources.ts";

// A thousand objects a request: that many take a while.
const countingMs = 300_000;

/**
 * Limits a tenant's bucket by another tier. What is in it stays, also where that is more than the new tier allows: then
 * nothing more can be put there, and `overQuota` says so, in a preview too. It is counted until it is more than that.
 */
export const bucketTier =
  (root: AdminAccess): Operation =>
  async (command, context) => {
    const { tenant } = command;
    const { tier, preview } = wantedTier(command);
    const { bucket } = storageNames(context.installation, tenant);
    const port = storagePorts(root, storageNames(context.installation, tenant)).bucket;
    if ((await ownResource(context, tenant, port)) === "absent") throw missing(bucket, tenant.slug);
    const quota = tiers[tier].storageBytes;
    const used = await context.call(
      "count the bytes in minio-bucket",
      (signal) => bytesUpTo(root, bucket.name, quota, signal),
      { timeoutMs: countingMs },
    );
    if (!preview) {
      await context.ledger.made(keyOf(bucket), { tier });
      await context.call("limit minio-bucket", (signal) => setBucketQuota(root, bucket.name, quota, signal));
    }
    return operationDone([{ ...keyOf(bucket), outcome: preview ? "looked-at" : "limited" }], {
      quotaBytes: String(quota),
      usedBytes: String(used),
      overQuota: String(used > quota),
    });
  };
