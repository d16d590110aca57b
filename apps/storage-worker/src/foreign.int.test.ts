import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import type { StepContext } from "@deeplens/worker";
import { memoryLedger, memorySecrets } from "@deeplens/worker/testing";
import { lookAtBucket } from "./bucket.ts";
import { callAdmin } from "./minio-admin/client.ts";
import {
  addServiceAccount,
  policyExists,
  putPolicy,
  putUser,
  removeUser,
  setUserPolicy,
} from "./minio-admin/index.ts";
import { s3Client, s3Code } from "./s3.ts";
import { tenantPolicy } from "./tenant-policy.ts";
import {
  assertNothingLeft,
  contextOf,
  freshTenant,
  rootAccess,
  type StorageTenant,
  soon,
  tenantAccess,
} from "./testing/storage-tenant.ts";

const setUp = (t: TestContext) => {
  const tenant = freshTenant();
  t.after(() => tenant.dispose());
  const stores = { ledger: memoryLedger(), secrets: memorySecrets() };
  return { tenant, stores, context: contextOf(tenant, stores) };
};

const outcomes = (receipt: readonly { kind: string; outcome: string }[]): Record<string, string> =>
  Object.fromEntries(receipt.map(({ kind, outcome }) => [kind, outcome]));

for (const tags of [{}, { team: "research" }, { "deeplens.tenant-id": "another-tenant" }] as const)
  test(`rule 12: a bucket of that name with tags ${JSON.stringify(tags)} is refused and stays as it is`, async (t) => {
    const { tenant, context } = setUp(t);
    const { root, names } = tenant;
    const client = s3Client(root, soon());
    const bucket = names.bucket.name;
    await client.makeBucket(bucket);
    if (Object.keys(tags).length > 0) await client.setBucketTagging(bucket, { ...tags });
    await client.putObject(bucket, "theirs", "by hand");
    const before = await stateOfBucket(tenant);

    await assert.rejects(tenant.handler.provision(tenant.command, context), {
      name: "PermanentStepError",
      code: "minio-bucket-owned-by-other",
    });
    assert.equal(outcomes(await tenant.handler.compensate(tenant.undo, context))["minio-bucket"], "foreign");
    assert.deepEqual(await stateOfBucket(tenant), before);
    assert.equal(await policyExists(root, names.policy.name, soon()), false);
  });

test("rule 12: a bucket that a stranger makes between our look and our call is refused and stays", async (t) => {
  const { tenant, stores, context } = setUp(t);
  const client = s3Client(tenant.root, soon());
  const bucket = tenant.names.bucket.name;
  const raced = withBefore(context, "create minio-bucket", async () => {
    await client.makeBucket(bucket);
    await client.putObject(bucket, ".deeplens-probe/looks-like-ours", "by hand");
  });
  await assert.rejects(tenant.handler.provision(tenant.command, raced), {
    code: "minio-bucket-owned-by-other",
  });
  const receipt = await tenant.handler.compensate(tenant.undo, contextOf(tenant, stores));
  assert.equal(outcomes(receipt)["minio-bucket"], "foreign");
  assert.equal(await text(await client.getObject(bucket, ".deeplens-probe/looks-like-ours")), "by hand");
});

test("rule 12: a bucket that an earlier try's late call makes is adopted, not taken for a stranger's", async (t) => {
  const { tenant, stores, context } = setUp(t);
  const client = s3Client(tenant.root, soon());
  await context.ledger.intend(tenant.names.bucket);
  const raced = withBefore(context, "create minio-bucket", () => client.makeBucket(tenant.names.bucket.name));
  await assert.rejects(tenant.handler.provision(tenant.command, raced), {
    name: "Error",
    message: /looking again/,
  });
  await tenant.handler.provision(tenant.command, contextOf(tenant, stores));
  const owner = tenant.tenant.tenantId;
  assert.deepEqual(await lookAtBucket(tenant.root, tenant.names.bucket.name, soon()), {
    found: "labelled",
    owner,
  });
});

for (const tags of [{ team: "research" }, { "deeplens.tenant-id": "another-tenant" }] as const)
  test(`rule 12: a foreign label, ${JSON.stringify(tags)}, wins over a row of ours`, async (t) => {
    const { tenant, context } = setUp(t);
    const client = s3Client(tenant.root, soon());
    const bucket = tenant.names.bucket.name;
    await context.ledger.intend(tenant.names.bucket);
    await client.makeBucket(bucket);
    await client.setBucketTagging(bucket, { ...tags });
    await assert.rejects(tenant.handler.provision(tenant.command, context), {
      code: "minio-bucket-owned-by-other",
    });
    assert.equal(outcomes(await tenant.handler.compensate(tenant.undo, context))["minio-bucket"], "foreign");
    const [tag] = await client.getBucketTagging(bucket);
    assert.deepEqual({ [tag?.Key ?? ""]: tag?.Value }, tags);
  });

test("rule 12: a policy of that name is refused, and not written over", async (t) => {
  const { tenant, context } = setUp(t);
  const { root, names } = tenant;
  await putPolicy(root, names.policy.name, tenantPolicy("somebody-elses-bucket"), soon());
  const before = await policyLines(tenant);
  await assert.rejects(tenant.handler.provision(tenant.command, context), {
    code: "minio-policy-owned-by-other",
  });
  const receipt = outcomes(await tenant.handler.compensate(tenant.undo, context));
  assert.deepEqual([receipt["minio-policy"], receipt["minio-bucket"]], ["foreign", "removed"]);
  assert.deepEqual(await policyLines(tenant), before);
});

test("rule 12: a user with that access key is refused, and keeps its secret, its policy and its accounts", async (t) => {
  const { tenant, context } = setUp(t);
  const { root, names } = tenant;
  const theirs = { accessKey: names.user.name, secretKey: "made-by-hand-12345" };
  await putUser(root, theirs, soon());
  await setUserPolicy(root, theirs.accessKey, "readwrite", soon());
  const account = { accessKey: names.serviceAccount.name, secretKey: "account-by-hand-12345" };
  await addServiceAccount(root, { ...account, targetUser: theirs.accessKey }, soon());
  const before = await adminJson(tenant, "user-info", { accessKey: theirs.accessKey });
  await assert.rejects(tenant.handler.provision(tenant.command, context), {
    code: "minio-user-owned-by-other",
  });
  const receipt = outcomes(await tenant.handler.compensate(tenant.undo, context));
  assert.deepEqual(receipt, {
    "minio-service-account": "foreign",
    "minio-user": "foreign",
    "minio-policy": "removed",
    "minio-bucket": "removed",
  });
  assert.equal(await adminJson(tenant, "user-info", { accessKey: theirs.accessKey }), before);
  for (const keys of [theirs, account])
    await s3Client({ ...keys, endpoint: root.endpoint }, soon()).listBuckets();
});

test("rule 12: a service account with that access key under another user is refused, and keeps its secret", async (t) => {
  const { tenant, context } = setUp(t);
  const { root, names } = tenant;
  const parent = { accessKey: `hand-${names.user.name}`.slice(0, 20), secretKey: "made-by-hand-12345" };
  tenant.alsoRemove(() => removeUser(root, parent.accessKey, soon()));
  await putUser(root, parent, soon());
  await setUserPolicy(root, parent.accessKey, "readwrite", soon());
  const account = { accessKey: names.serviceAccount.name, secretKey: "account-by-hand-12345" };
  await addServiceAccount(root, { ...account, targetUser: parent.accessKey }, soon());
  await context.ledger.intend(names.serviceAccount);
  await assert.rejects(tenant.handler.provision(tenant.command, context), {
    code: "minio-service-account-owned-by-other",
  });
  const receipt = outcomes(await tenant.handler.compensate(tenant.undo, context));
  assert.equal(receipt["minio-service-account"], "foreign");
  await s3Client({ ...account, endpoint: root.endpoint }, soon()).listBuckets();
});

test("an undo is refused while the bucket holds an object of somebody's, and removes nothing", async (t) => {
  const { tenant, stores, context } = setUp(t);
  const bucket = tenant.names.bucket.name;
  await tenant.handler.provision(tenant.command, context);
  const own = await tenantAccess(tenant, context, "serviceAccount");
  const client = s3Client(own, soon());
  await client.putObject(bucket, "holiday/1.jpg", "a picture");
  await assert.rejects(tenant.handler.compensate(tenant.undo, contextOf(tenant, stores)), {
    name: "PermanentStepError",
    code: "bucket-not-empty",
    message: /holiday\/1\.jpg.*Move or delete/,
  });
  assert.equal(await text(await client.getObject(bucket, "holiday/1.jpg")), "a picture");

  await client.removeObject(bucket, "holiday/1.jpg");
  await tenant.handler.compensate(tenant.undo, contextOf(tenant, stores));
  await assertNothingLeft(tenant);
});

test("an object that comes in while the undo runs is not deleted with the bucket", async (t) => {
  const { tenant, stores, context } = setUp(t);
  const bucket = tenant.names.bucket.name;
  const client = s3Client(tenant.root, soon());
  await tenant.handler.provision(tenant.command, context);
  const undoing = withBefore(contextOf(tenant, stores), "remove minio-bucket", async () => {
    await client.putObject(bucket, "late", "just in time");
  });
  await assert.rejects(tenant.handler.compensate(tenant.undo, undoing), { code: "bucket-not-empty" });
  assert.equal(await text(await client.getObject(bucket, "late")), "just in time");
});

test("probes that a crash left, in a bucket with versions, do not hinder the undo", async (t) => {
  const { tenant, stores, context } = setUp(t);
  const bucket = tenant.names.bucket.name;
  const client = s3Client(tenant.root, soon());
  await tenant.handler.provision(tenant.command, context);
  await client.setBucketVersioning(bucket, { Status: "Enabled" });
  await client.putObject(bucket, ".deeplens-probe/provision", "left");
  await client.removeObject(bucket, ".deeplens-probe/provision");
  await client.putObject(bucket, ".deeplens-probe/provision", "left again");
  await tenant.handler.compensate(tenant.undo, contextOf(tenant, stores));
  await assertNothingLeft(tenant);
});

test("an object that was deleted in a bucket with versions is somebody's still, and refuses the undo", async (t) => {
  const { tenant, stores, context } = setUp(t);
  const bucket = tenant.names.bucket.name;
  const client = s3Client(tenant.root, soon());
  await tenant.handler.provision(tenant.command, context);
  await client.setBucketVersioning(bucket, { Status: "Enabled" });
  await client.putObject(bucket, "deleted", "wanted back");
  await client.removeObject(bucket, "deleted");
  await assert.rejects(tenant.handler.compensate(tenant.undo, contextOf(tenant, stores)), {
    code: "bucket-not-empty",
  });
});

test("a policy that an operator gave to somebody else too stops the undo with what to do", async (t) => {
  const { tenant, stores, context } = setUp(t);
  const { root, names } = tenant;
  const other = `hand-${names.user.name}`.slice(0, 20);
  await tenant.handler.provision(tenant.command, context);
  await putUser(root, { accessKey: other, secretKey: "made-by-hand-12345" }, soon());
  tenant.alsoRemove(() => removeUser(root, other, soon()));
  await setUserPolicy(root, other, names.policy.name, soon());
  await assert.rejects(tenant.handler.compensate(tenant.undo, contextOf(tenant, stores)), {
    code: "minio-policy-in-use",
    message: /detach it there, then resume/,
  });
  await removeUser(root, other, soon());
  await tenant.handler.compensate(tenant.undo, contextOf(tenant, stores));
  await assertNothingLeft(tenant);
});

test("rule 16: secrets are made once for all tries, strong enough, and go last", async (t) => {
  const { tenant, stores, context } = setUp(t);
  await tenant.handler.provision(tenant.command, context);
  const first = new Map(stores.secrets.values);
  await tenant.handler.provision(tenant.command, contextOf(tenant, stores));
  assert.deepEqual(new Map(stores.secrets.values), first);
  assert.equal(first.size, 2);
  for (const secret of first.values()) assert.equal(Buffer.from(secret, "base64url").length * 8, 192);

  const failing = withBefore(contextOf(tenant, stores), "remove minio-bucket", () =>
    Promise.reject(new Error("MinIO went away")),
  );
  await assert.rejects(tenant.handler.compensate(tenant.undo, failing), /went away/);
  assert.deepEqual(new Map(stores.secrets.values), first);
  await tenant.handler.compensate(tenant.undo, contextOf(tenant, stores));
  assert.equal(stores.secrets.values.size, 0);
});

test("a key that was changed by hand works again after the next try", async (t) => {
  const { tenant, stores, context } = setUp(t);
  const { root, names } = tenant;
  await tenant.handler.provision(tenant.command, context);
  await putUser(root, { accessKey: names.user.name, secretKey: "changed-by-hand-123" }, soon());
  await setUserPolicy(root, names.user.name, "readwrite", soon());
  await tenant.handler.provision(tenant.command, contextOf(tenant, stores));
  const user = s3Client(await tenantAccess(tenant, context, "user"), soon());
  await user.putObject(names.bucket.name, "a", "one");
  await assert.rejects(
    user.makeBucket(`${names.bucket.name}-more`),
    (error) => s3Code(error) === "AccessDenied",
  );
  await user.removeObject(names.bucket.name, "a");
});

test("rule 12: what is written over by an upsert is an intent meanwhile, for the call may land after an undo", async (t) => {
  const { tenant, stores, context } = setUp(t);
  await tenant.handler.provision(tenant.command, context);
  const states: Record<string, string | undefined> = {};
  const stateOf = (kind: string) => stores.ledger.rows().find((row) => row.kind === kind)?.state;
  let again: StepContext = contextOf(tenant, stores);
  for (const kind of ["minio-policy", "minio-user"])
    again = withBefore(again, `renew ${kind}`, async () => {
      states[kind] = stateOf(kind);
    });
  await tenant.handler.provision(tenant.command, again);
  assert.deepEqual(states, { "minio-policy": "intent", "minio-user": "intent" });
  assert.deepEqual([stateOf("minio-policy"), stateOf("minio-user")], ["made", "made"]);
});

const stateOfBucket = async ({ names }: StorageTenant): Promise<unknown> => {
  const client = s3Client(rootAccess(), soon());
  const bucket = names.bucket.name;
  return {
    made: (await client.listBuckets()).find(({ name }) => name === bucket)?.creationDate,
    tags: await client.getBucketTagging(bucket).catch((error: unknown) => s3Code(error)),
    object: await text(await client.getObject(bucket, "theirs")),
    stat: await client.statObject(bucket, "theirs"),
    keys: (await client.listObjectsV2(bucket, "", true).toArray()).length,
  };
};

const adminJson = async (
  { root }: StorageTenant,
  name: string,
  query: Record<string, string>,
): Promise<string> => (await callAdmin(root, { method: "GET", name, query }, soon())).toString("utf8");

// With its dates. MinIO gives the actions in another order each time.
const policyLines = async (tenant: StorageTenant): Promise<string[]> => {
  const reply = await adminJson(tenant, "info-canned-policy", { name: tenant.names.policy.name, v: "2" });
  return reply.split(/,?\n/).sort();
};

/** The same context, in which something happens just before a call's effect. */
const withBefore = (context: StepContext, name: string, happens: () => Promise<void>): StepContext => ({
  ...context,
  call: (called, effect, options) =>
    context.call(
      called,
      async (signal) => {
        if (called === name) await happens();
        return effect(signal);
      },
      options,
    ),
});
