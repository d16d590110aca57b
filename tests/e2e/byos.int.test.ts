import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Saga, TenantActName } from "@deeplens/client";
import { putUser } from "@deeplens/storage-worker/minio-admin";
import { minioAsS3 } from "@deeplens/storage-worker/minio-as-s3";
import { freshSlug, openInstallation } from "./support.ts";
import { tenantctl } from "./tenantctl.ts";

// A tenant whose objects lie in a customer's own bucket: the installation's MinIO, as the customer's S3.

const installation = await openInstallation();
const { api, services } = installation;
const cloud = minioAsS3();
const folder = mkdtempSync(join(tmpdir(), "byos-e2e-"));
after(async () => {
  rmSync(folder, { recursive: true });
  await cloud.close();
  await installation.close();
});
const customer = await cloud.customer("tenants/");
const { bucket } = customer.location;
const slug = freshSlug("byos");
const reason = "the end-to-end test of a customer's storage";
const theirs = ["others/secret", "tenants/theirs"];

const ctl = (...args: string[]) => tenantctl(installation, ...args);

/** Drops a key of the customer's off, as an operator does; gives the reference. */
const dropOff = async (secretAccessKey: string): Promise<string> => {
  const file = join(folder, "key.json");
  writeFileSync(file, JSON.stringify({ accessKeyId: bucket, secretAccessKey }));
  const { exitCode, stdout, stderr } = await ctl("secret", "put", file);
  assert.equal(exitCode, 0, stderr);
  return stdout.split("\n")[0] ?? "";
};

const act = async (name: TenantActName, until: (saga: Saga) => boolean, graceMs?: number): Promise<void> => {
  const { tenantId } = await api.tenant(slug);
  const { sagaId } = await api.actOnTenant(slug, name, {
    ...{ tenantId, reason },
    ...(graceMs === undefined ? {} : { graceMs }),
  });
  for (const endMs = Date.now() + 120_000; ; await delay(250)) {
    const saga = await api.saga(sagaId ?? "");
    if (until(saga)) return;
    assert.ok(Date.now() < endMs && saga.status !== "stuck", JSON.stringify(saga.steps));
  }
};

before(async () => {
  for (const key of theirs) await customer.put(key, "the customer's");
});

test("a tenant is made in a customer's bucket, and nothing of ours stays there", async () => {
  const secret = await dropOff(Object(customer.credentials).secretAccessKey);
  const { exitCode, stdout, stderr } = await ctl(
    ...["create", slug, "--tier", "free", "--storage", "byos", "--byos-provider", "aws_s3"],
    // As the fleet reaches it.
    ...["--byos-bucket", bucket, "--byos-endpoint", "http://minio:9000", "--byos-path-style"],
    ...["--byos-prefix", "tenants/", "--secret", secret],
    ...["--admin-email", `admin@${slug}.example`, "--admin-name", "Ada Lovelace"],
  );
  assert.equal(exitCode, 0, stdout + stderr);
  const { resources } = await api.tenant(slug);
  assert.deepEqual([resources["storage.bucket"], resources["storage.prefix"]], [bucket, "tenants/"]);
  assert.deepEqual(await customer.keys(), theirs);
});

test("a bucket that turns read-only makes the tenant degraded, in that cloud's words; a new key that may no more is refused", async () => {
  await customer.allow([]);
  assert.equal((await api.health(slug)).status, "degraded");
  await customer.allow(["list", "read"]);
  const health = await ctl("health", slug);
  assert.equal(health.exitCode, 3, health.stdout);
  assert.match(health.stdout, /s3:DeleteObject is missing/);
  const reference = await dropOff(Object(customer.credentials).secretAccessKey);
  const refused = await ctl("secret", "replace", slug, reference, "--yes", "--reason", reason);
  assert.equal(refused.exitCode, 1, refused.stdout);
  assert.match(refused.stdout, /failed and was undone, the tenant is ready: .*s3:DeleteObject is missing/);
  const { degraded, resources } = await api.tenant(slug);
  assert.match(degraded?.reason ?? "", /storage: place: .*s3:\w+ is missing/);
  assert.match(resources["storage.secretKeyRef"] ?? "", /\/1$/);
});

test("a key that was ended is replaced by the customer's next one: the tenant is well, and the old one is forgotten", async () => {
  await customer.allow(["list", "write", "read", "delete"]);
  const root = {
    endpoint: services.minio.endpoint,
    ...{ accessKey: services.minio.rootUser, secretKey: services.minio.password },
  };
  const next = { accessKey: bucket, secretKey: "the-customers-next-key" };
  await putUser(root, next, AbortSignal.timeout(20_000));
  const reference = await dropOff(next.secretKey);
  const replaced = await ctl("secret", "replace", slug, reference, "--yes", "--reason", reason);
  assert.equal(replaced.exitCode, 0, replaced.stdout + replaced.stderr);
  assert.match(replaced.stdout, new RegExp(`${slug} is well`));
  const { degraded, resources } = await api.tenant(slug);
  assert.deepEqual([degraded, resources["storage.secretKeyRef"]?.slice(-2)], [null, "/2"]);
  const { secrets } = await api.revealCredentials(slug, reason);
  assert.equal(JSON.parse(secrets["storage.byos"] ?? "{}").secretAccessKey, next.secretKey);
  const again = await ctl("secret", "replace", slug, reference, "--yes", "--reason", reason);
  assert.equal(again.exitCode, 0, again.stdout + again.stderr);
});

test("suspended and removed, the customer's bucket is as it was", async () => {
  await act("suspend", ({ status }) => status === "done");
  assert.deepEqual(await customer.keys(), theirs);
  // The settle time that follows is minutes long: whole-life waits for it.
  await act("remove", ({ course }) => course === "settling", 0);
  assert.deepEqual(await customer.keys(), theirs);
});
