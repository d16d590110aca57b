import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { tiers } from "@deeplens/contracts";
import { memoryLedger, memorySecrets } from "@deeplens/worker/testing";
import { type AdminCall, callAdmin } from "./minio-admin/client.ts";
import {
  bucketQuota,
  listServiceAccounts,
  MinioError,
  minioAnswers,
  putPolicy,
  putUser,
  removePolicy,
  removeUser,
  setUserPolicy,
} from "./minio-admin/index.ts";
import { s3Client, s3Code } from "./s3.ts";
import {
  contextOf,
  forceRemoveBucket,
  freshTenant,
  rootAccess,
  soon,
  tenantAccess,
} from "./testing/storage-tenant.ts";

const provisioned = async (tier: keyof typeof tiers = "free") => {
  const tenant = freshTenant();
  const context = contextOf(tenant, { ledger: memoryLedger(), secrets: memorySecrets() });
  await tenant.handler.provision({ ...tenant.command, tier }, context);
  return {
    ...tenant,
    context,
    account: await tenantAccess(tenant, context, "serviceAccount"),
    user: await tenantAccess(tenant, context, "user"),
  };
};

test("one tenant's keys open nothing of another's", async (t) => {
  const acme = await provisioned();
  t.after(() => acme.dispose());
  const other = await provisioned();
  t.after(() => other.dispose());
  const bucket = other.names.bucket.name;
  await s3Client(other.account, soon()).putObject(bucket, "private", "theirs");

  for (const [who, access] of [
    ["service account", acme.account],
    ["user", acme.user],
  ] as const)
    await t.test(`as the ${who}`, async () => {
      const client = s3Client(access, soon());
      for (const attempt of [
        () => client.listObjectsV2(bucket, "", true).toArray(),
        () => client.getObject(bucket, "private"),
        () => client.statObject(bucket, "private"),
        () => client.putObject(bucket, "mine", "planted"),
        () => client.removeObject(bucket, "private"),
        () => client.getBucketTagging(bucket),
        () => client.removeBucket(bucket),
        () => client.copyObject(acme.names.bucket.name, "stolen", `/${bucket}/private`),
      ])
        await assert.rejects(attempt, (error) => /AccessDenied/.test(String(s3Code(error))), String(attempt));
      const visible = await client.listBuckets().catch(() => []);
      assert.deepEqual(
        visible.filter(({ name }) => name === bucket),
        [],
      );
      for (const call of adminCallsOn(other.names))
        await assert.rejects(callAdmin(access, call, soon()), isRefusal, call.name);
    });

  assert.equal(await text(await s3Client(other.account, soon()).getObject(bucket, "private")), "theirs");
  assert.deepEqual(await listServiceAccounts(rootAccess(), other.names.user.name, soon()), [
    other.names.serviceAccount.name,
  ]);
});

test("a tenant's keys do not open the bucket of the backups, whose own account reaches no tenant's", async (t) => {
  const acme = await provisioned();
  t.after(() => acme.dispose());
  const name = `bt-${randomBytes(6).toString("hex")}`;
  const [root, account] = [rootAccess(), { accessKey: name, secretKey: randomBytes(20).toString("hex") }];
  await s3Client(root, soon()).makeBucket(name);
  t.after(() => forceRemoveBucket(root, name));
  t.after(async () => {
    await removeUser(root, name, soon());
    await removePolicy(root, name, soon());
  });
  await putPolicy(root, name, JSON.parse(policyOfThePage().replaceAll("deeplens-backups", name)), soon());
  await putUser(root, account, soon());
  await setUserPolicy(root, name, name, soon());

  const own = s3Client({ ...root, ...account }, soon());
  const key = `deeplens/${acme.tenant.tenantId}/20261124T020000Z-00abff/manifest.json`;
  await own.putObject(name, key, "{}");
  assert.equal((await own.listObjectsV2(name, "", true).toArray()).length, 1);
  for (const access of [acme.account, acme.user]) {
    const client = s3Client(access, soon());
    for (const attempt of [
      () => client.listObjectsV2(name, `deeplens/${acme.tenant.tenantId}/`, true).toArray(),
      () => client.getObject(name, key),
      () => client.statObject(name, key),
      () => client.putObject(name, key, "planted"),
      () => client.removeObject(name, key),
    ])
      await assert.rejects(attempt, (error) => /AccessDenied/.test(String(s3Code(error))), String(attempt));
  }
  await assert.rejects(own.listObjectsV2(acme.names.bucket.name, "", true).toArray(), /Denied/);
  await assert.rejects(own.putObject(acme.names.bucket.name, "planted", ""), /Denied/);
  assert.equal(await text(await own.getObject(name, key)), "{}");
  await own.removeObject(name, key);
});

/** The policy that docs/backups.md gives to copy. */
const policyOfThePage = (): string => {
  const page = readFileSync(new URL("../../../docs/backups.md", import.meta.url), "utf8");
  return /```json\n([\s\S]+?)```/.exec(page)?.[1] ?? assert.fail("docs/backups.md has no policy");
};

test("a tenant's keys leave its own bucket's labels, limit and policy alone", async (t) => {
  const acme = await provisioned();
  t.after(() => acme.dispose());
  const bucket = acme.names.bucket.name;
  const client = s3Client(acme.account, soon());
  for (const attempt of [
    () => client.setBucketTagging(bucket, { tenant: "another" }),
    () => client.removeBucketTagging(bucket),
    () => client.removeBucket(bucket),
    () => client.setBucketPolicy(bucket, "{}"),
    () => client.makeBucket(`${bucket}-more`),
  ])
    await assert.rejects(attempt, (error) => s3Code(error) === "AccessDenied", String(attempt));
  const query = { bucket };
  const body = { json: { quota: 0, size: 0, quotatype: "hard" }, encrypted: false };
  const noLimit = { method: "PUT", name: "set-bucket-quota", query, body } as const;
  await assert.rejects(callAdmin(acme.account, noLimit, soon()), isRefusal);
  assert.equal(await bucketQuota(acme.root, bucket, soon()), tiers.free.storageBytes);
});

test("a tenant's keys make no further keys, for itself or wider ones", async (t) => {
  const acme = await provisioned();
  t.after(() => acme.dispose());
  for (const access of [acme.user, acme.account])
    for (const more of [{}, { targetUser: acme.names.user.name }, { targetUser: acme.root.accessKey }]) {
      const json = { ...more, accessKey: "PLANTED", secretKey: "planted-12345" };
      const body = { json, encrypted: true };
      await assert.rejects(
        callAdmin(access, { method: "PUT", name: "add-service-account", body }, soon()),
        isRefusal,
      );
    }
});

test("the limit of the bucket follows the tier, on the next try too", async (t) => {
  const acme = await provisioned("enterprise");
  t.after(() => acme.dispose());
  const bucket = acme.names.bucket.name;
  assert.equal(await bucketQuota(acme.root, bucket, soon()), tiers.enterprise.storageBytes);
  await acme.handler.provision({ ...acme.command, tier: "professional" }, acme.context);
  assert.equal(await bucketQuota(acme.root, bucket, soon()), tiers.professional.storageBytes);
});

test("the keys of a tenant that is gone do not open the next one's bucket of that name", async (t) => {
  const first = await provisioned();
  t.after(() => first.dispose());
  const bucket = first.names.bucket.name;
  await first.handler.compensate(first.undo, first.context);
  const client = s3Client(first.root, soon());
  await client.makeBucket(bucket);
  await client.putObject(bucket, "next", "the next tenant's");
  for (const access of [first.account, first.user])
    await assert.rejects(
      s3Client(access, soon()).getObject(bucket, "next"),
      (error) => s3Code(error) === "InvalidAccessKeyId",
    );
});

test("health says whether MinIO answers to the worker's credentials", async () => {
  const root = rootAccess();
  await minioAnswers(root);
  await assert.rejects(minioAnswers({ ...root, secretKey: "not the password" }), MinioError);
  await assert.rejects(minioAnswers({ ...root, endpoint: "http://127.0.0.1:9" }));
});

type Names = Awaited<ReturnType<typeof provisioned>>["names"];

const adminCallsOn = ({ user, serviceAccount, policy, bucket }: Names): AdminCall[] => [
  { method: "GET", name: "list-users" },
  { method: "GET", name: "user-info", query: { accessKey: user.name } },
  { method: "PUT", name: "add-user", query: { accessKey: user.name }, body: secret("taken-over-12345") },
  { method: "DELETE", name: "remove-user", query: { accessKey: user.name } },
  { method: "GET", name: "list-service-accounts", query: { user: user.name } },
  { method: "GET", name: "info-service-account", query: { accessKey: serviceAccount.name } },
  {
    method: "POST",
    name: "update-service-account",
    query: { accessKey: serviceAccount.name },
    body: { json: { newSecretKey: "taken-over-12345" }, encrypted: true },
  },
  { method: "DELETE", name: "delete-service-account", query: { accessKey: serviceAccount.name } },
  {
    method: "PUT",
    name: "add-service-account",
    body: {
      json: { targetUser: user.name, accessKey: "PLANTED", secretKey: "planted-12345" },
      encrypted: true,
    },
  },
  { method: "GET", name: "info-canned-policy", query: { name: policy.name } },
  { method: "DELETE", name: "remove-canned-policy", query: { name: policy.name } },
  {
    method: "PUT",
    name: "set-user-or-group-policy",
    query: { policyName: "consoleAdmin", userOrGroup: user.name, isGroup: "false" },
  },
  { method: "GET", name: "get-bucket-quota", query: { bucket: bucket.name } },
];

const secret = (secretKey: string) => ({ json: { secretKey, status: "enabled" }, encrypted: true });

// 403, or 404 where MinIO will not even say that it is there.
const isRefusal = (error: unknown): boolean =>
  error instanceof MinioError && (error.status === 403 || error.status === 404);
