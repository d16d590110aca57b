import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { tiers } from "@deeplens/contracts";
import type { StepDone } from "@deeplens/worker";
import { type CrashFixture, crashPoints, type Stores } from "@deeplens/worker/testing";
import { lookAtBucket } from "./bucket.ts";
import { bucketQuota, listServiceAccounts } from "./minio-admin/index.ts";
import { secretPurposes } from "./resources.ts";
import { s3Client } from "./s3.ts";
import {
  assertNothingLeft,
  contextOf,
  freshTenant,
  type StorageTenant,
  soon,
  tenantAccess,
} from "./testing/storage-tenant.ts";

test("rule 12: a tenant's storage ends whole or gone, wherever the worker dies", {
  timeout: 300_000,
}, async (t) => {
  await crashPoints(t, (): CrashFixture => {
    const tenant = freshTenant();
    return {
      step: "storage",
      handler: tenant.handler,
      command: tenant.command,
      installation: tenant.installation,
      verifyWhole: (done, stores) => assertWhole(tenant, done, stores),
      verifyGone: (receipt, stores) => assertGone(tenant, receipt, stores),
      dispose: tenant.dispose,
    };
  });
});

const assertWhole = async (tenant: StorageTenant, done: StepDone, stores: Stores): Promise<void> => {
  const { root, names } = tenant;
  assert.equal(done.outputs.bucket, names.bucket.name);
  assert.equal(done.outputs.accessKey, names.serviceAccount.name);
  const seen = await lookAtBucket(root, names.bucket.name, soon());
  assert.deepEqual(seen, { found: "labelled", owner: tenant.tenant.tenantId });
  assert.equal(await bucketQuota(root, names.bucket.name, soon()), tiers.free.storageBytes);
  assert.deepEqual(await listServiceAccounts(root, names.user.name, soon()), [names.serviceAccount.name]);
  const own = await tenantAccess(tenant, contextOf(tenant, stores), "serviceAccount");
  const client = s3Client(own, soon());
  assert.deepEqual(await client.listObjectsV2(names.bucket.name, "", true).toArray(), []);
  await client.putObject(names.bucket.name, "a", "one");
  assert.equal(await text(await client.getObject(names.bucket.name, "a")), "one");
  await client.removeObject(names.bucket.name, "a");
  const open = stores.ledger.rows().filter((row) => row.state !== "made");
  assert.deepEqual(open, []);
};

const assertGone = async (
  tenant: StorageTenant,
  receipt: readonly { kind: string; outcome: string }[],
  { ledger, secrets }: Stores,
): Promise<void> => {
  await assertNothingLeft(tenant);
  const kinds = receipt.map(({ kind }) => kind).sort();
  assert.deepEqual(kinds, ["minio-bucket", "minio-policy", "minio-service-account", "minio-user"]);
  for (const line of receipt) assert.match(line.outcome, /^(removed|absent)$/);
  assert.deepEqual(
    ledger.rows().filter((row) => row.state !== "gone"),
    [],
  );
  for (const purpose of Object.values(secretPurposes))
    assert.equal(await secrets.of(tenant.tenant.tenantId).read(purpose), undefined);
};
