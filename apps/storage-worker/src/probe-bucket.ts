import { tiers } from "@deeplens/contracts";
import { drift, needed, type Operation, probed } from "@deeplens/worker";
import { type AdminAccess, type BucketUsage, bucketQuota, usageByBucket } from "./minio-admin/index.ts";
import { proveServiceAccount } from "./proof.ts";
import { secretPurposes, storageNames } from "./resources.ts";

/** Looks at a tenant's bucket with the tenant's own key, and at what it holds against its quota. */
export const probeBucket = (root: AdminAccess): Operation => {
  const usage = usageOf(root);
  return ({ tenant, tier }, context) =>
    probed(context, {
      bucket: async (signal) => {
        const { login, value: secretKey } = needed(
          (await context.secrets.versions(secretPurposes.serviceAccount))[0],
          "the service account's key",
        );
        const { bucket, serviceAccount } = storageNames(context.installation, tenant, login);
        const access = { endpoint: root.endpoint, accessKey: serviceAccount.name, secretKey };
        await proveServiceAccount(context, access, bucket.name);
        const quota = await bucketQuota(root, bucket.name, signal);
        const limit = tiers[tier].storageBytes;
        if (quota !== limit)
          throw drift(
            `bucket ${bucket.name} has a quota of ${quota} bytes, and tier ${tier} allows ${limit}`,
          );
        const held = (await usage(signal)).get(bucket.name);
        return {
          ...(held === undefined ? {} : { usedBytes: String(held.sizeBytes), objects: String(held.objects) }),
          quotaBytes: String(quota),
        };
      },
    });
};

const freshMs = 60_000;

/** The counts of all buckets come at once: asked for once a minute, however many tenants are looked at. */
const usageOf = (root: AdminAccess) => {
  let known: { readonly atMs: number; readonly usage: ReadonlyMap<string, BucketUsage> } | undefined;
  return async (signal: AbortSignal): Promise<ReadonlyMap<string, BucketUsage>> => {
    if (known === undefined || Date.now() - known.atMs > freshMs)
      known = { atMs: Date.now(), usage: await usageByBucket(root, signal) };
    return known.usage;
  };
};
