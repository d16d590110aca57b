import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { memoryLedger, memorySecrets } from "@deeplens/worker/testing";
import { setBucketQuota } from "./minio-admin/index.ts";
import { contextOf, forceRemoveBucket, freshTenant, rootAccess, soon } from "./testing/storage-tenant.ts";

const of = freshTenant();
const stores = { ledger: memoryLedger(), secrets: memorySecrets() };
before(() => of.handler.provision(of.command, contextOf(of, stores)));
after(() => of.dispose());

const probe = async (): Promise<Readonly<Record<string, string>>> => {
  const { tenant, tier } = of.command;
  const asked = { sagaId: "", operation: "probe", parameters: {}, inputs: {} };
  const command = { tenant, tier, storage: "deeplens" as const, ...asked };
  const run = of.handler.operations?.probe ?? assert.fail("there is no probe");
  return (await run(command, contextOf(of, stores, { fence: 0 }))).outputs;
};
const { name: bucket } = of.names.bucket;

test("a tenant's bucket is seen with its own key, and its quota", async () => {
  const seen = await probe();
  assert.equal(seen.ok, "true", JSON.stringify(seen));
  assert.equal(seen["bucket.quotaBytes"], String(1024 ** 3));
});

test("a quota that is not the tier's is drift; a bucket that is gone is found with MinIO's word for it", async () => {
  await setBucketQuota(rootAccess(), bucket, 5_000, soon());
  const drifted = await probe();
  assert.deepEqual([drifted.ok, drifted.code], ["false", "bucket-drift"]);
  assert.match(drifted.reason ?? "", /has a quota of 5000 bytes, and tier free allows 1073741824/);
  await forceRemoveBucket(rootAccess(), bucket);
  const gone = await probe();
  assert.equal(gone.ok, "false");
  assert.match(gone.reason ?? "", /bucket/i);
});
