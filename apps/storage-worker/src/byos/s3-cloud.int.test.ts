import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { CrashError, crashPoints } from "@deeplens/worker/testing";
import { storageHandler } from "../handler.ts";
import { freshTenant, rootAccess } from "../testing/storage-tenant.ts";
import { cloudsSuite, refusalOf, tenantOf } from "./clouds.suite.ts";
import { credentialsPurpose } from "./place.ts";
import type { TestCloud } from "./testing/customer.ts";
import { minioAsS3 } from "./testing/minio-as-s3.ts";

let cloud: TestCloud;
before(async () => {
  cloud = await minioAsS3();
});
after(() => cloud.close());

cloudsSuite(() => cloud, "S3");

test("a place is one tenant's: another one is refused it, and may have another folder of the same bucket", async () => {
  const customer = await cloud.customer();
  const [first, second] = [await tenantOf(customer), await tenantOf(customer)];
  await first.provision();
  second.shareLedgerOf(first);
  const refusal = await refusalOf(second.provision());
  assert.equal(refusal.code, "byos-place-taken");
  await second.undo();
  assert.deepEqual(first.openRows(), [["byos-place", "made"]]);
  const location = { ...customer.location, prefix: "second/" };
  const third = await tenantOf({ ...customer, location });
  third.shareLedgerOf(first);
  assert.equal((await third.provision()).outputs.prefix, "second/");
});

test("suspended, the customer's bucket is left alone; resumed, it is proven; purged, the credentials are gone", async () => {
  const customer = await cloud.customer();
  const tenant = await tenantOf(customer);
  await tenant.provision();
  await customer.put("theirs", "x");
  assert.deepEqual(await tenant.operate("suspend"), [["byos-place", "not-ours"]]);
  assert.deepEqual(await tenant.operate("resume"), [["byos-place", "proven"]]);
  await customer.allow(["list", "read"]);
  assert.match((await refusalOf(tenant.operate("resume"))).message, /s3:DeleteObject|s3:PutObject/);
  await tenant.operate("suspend");
  assert.deepEqual(await tenant.operate("purge"), [
    ["byos-probe", "absent"],
    ["byos-place", "given-up"],
  ]);
  assert.equal(await tenant.secret(), undefined);
  assert.deepEqual(await customer.keys(), ["theirs"]);
});

// Seen to fail with the version before removed first: the tenant had no credentials after the crash.
test("rule 12: a replacement of the credentials leaves ones that work wherever the worker dies, and the new ones when done again", async () => {
  const customer = await cloud.customer();
  const other = JSON.stringify(customer.credentials, null, 1);
  for (let call = 1, died = true; died; call++) {
    const tenant = await tenantOf(customer);
    await tenant.provision();
    const reference = await tenant.dropOff(other);
    died = await tenant.replace(reference, { crashAfterCall: call }).then(
      () => false,
      (error: unknown) => error instanceof CrashError,
    );
    assert.ok(died || call > 6, `died at call ${call}`);
    assert.equal((await tenant.probe()).ok, "true");
    await tenant.replace(reference);
    assert.deepEqual(await tenant.versions(), [other, undefined]);
    await tenant.undo();
  }
  // Between taking the new ones and removing those before.
  const tenant = await tenantOf(customer);
  await tenant.provision();
  const reference = await tenant.dropOff(other);
  await tenant.stores.secrets.of(tenant.tenantId).adopt(reference, credentialsPurpose);
  await tenant.replace(reference);
  assert.deepEqual(await tenant.versions(), [other, undefined]);
  assert.deepEqual(await customer.keys(), []);
});

test("rule 12: storage of the tenant's own ends whole or gone, wherever the worker dies", {
  timeout: 300_000,
}, async (t) => {
  const customer = await cloud.customer();
  await crashPoints(t, () => {
    const { tenant, command, installation } = freshTenant();
    let credentialRef = "";
    return {
      ...{ step: "storage", handler: storageHandler(rootAccess(), { plainHttp: "allow" }), installation },
      get command() {
        return { ...command, storage: { type: "byos", location: customer.location, credentialRef } as const };
      },
      prepare: async ({ secrets }) => {
        const value = JSON.stringify(customer.credentials);
        const dropped = { kind: "aws_s3", value, by: "ada", lifeMs: 60_000 };
        credentialRef = (await secrets.dropOffs.put(dropped)).reference;
      },
      verifyWhole: async ({ outputs }, { ledger }) => {
        assert.equal(outputs.bucket, customer.location.bucket);
        assert.deepEqual(await customer.keys(), []);
        assert.deepEqual(
          ledger.rows().map(({ kind, state }) => [kind, state]),
          [
            ["byos-place", "made"],
            ["byos-probe", "gone"],
          ],
        );
      },
      verifyGone: async (_receipt, { ledger, secrets }) => {
        assert.deepEqual(await customer.keys(), []);
        assert.ok(ledger.rows().every(({ state }) => state === "gone"));
        assert.equal(await secrets.of(tenant.tenantId).read(credentialsPurpose), undefined);
      },
    };
  });
});
