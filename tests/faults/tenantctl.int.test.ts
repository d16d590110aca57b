import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import type { SagaStep } from "@deeplens/client";
import { type Ended, untilEnded, wishFor } from "@deeplens/e2e/orders";
import { freshSlug, openInstallation } from "@deeplens/e2e/support";
import { tenantctl } from "@deeplens/e2e/tenantctl";
import { tracesOf } from "@deeplens/e2e/traces";
import { containersOf, until } from "./fleet.ts";

// What an operator does and sees on the command line while something is missing. tenantctl runs as a process.

const installation = await openInstallation();
const { api, tenants } = installation;
const containers = containersOf(installation);
after(() => installation.close());
afterEach(async () => {
  await containers.start("minio");
  await containers.heal();
});

const create = (slug: string, email = `admin@${slug}.example`) =>
  tenantctl(
    installation,
    ...["create", slug, "--tier", "free", "--storage", "none"],
    ...["--admin-email", email, "--admin-name", "Ada Lovelace"],
  );

const step = async (tenantId: string, name: string): Promise<SagaStep | undefined> => {
  const { sagaId } = await api.tenant(tenantId).catch(() => ({ sagaId: null }));
  return sagaId === null ? undefined : (await api.saga(sagaId)).steps.find(({ step }) => step === name);
};

const untilCommanded = (tenantId: string, name: string) =>
  until(`${name} of ${tenantId} is commanded`, 30_000, async () =>
    (await step(tenantId, name))?.commandedAt === null ? undefined : step(tenantId, name),
  );

const expectNothingLeft = async (tenant: { tenantId: string; slug: string }): Promise<Ended["saga"]> => {
  const saga = await untilEnded(installation, tenant.tenantId, 60_000);
  assert.equal(saga.status, "rolled-back", JSON.stringify(saga.error));
  assert.deepEqual(await tracesOf(installation, tenant), []);
  return saga;
};

test("create ends with 0 for a ready tenant, with 1 and the reason for a rolled-back one, with 2 for no name", async () => {
  const slug = freshSlug("cli");
  const ready = await create(slug);
  assert.equal(ready.exitCode, 0, ready.stderr);
  assert.match(ready.stdout, new RegExp(`The tenant ${slug} is ready`));

  const second = freshSlug("cli");
  const refused = await create(second, `admin@${slug}.example`);
  assert.equal(refused.exitCode, 1, refused.stdout);
  assert.match(refused.stdout, new RegExp(`The tenant ${second} was not made: step identity: .*refused`));
  assert.match(refused.stdout, /What was rolled back:[\s\S]*database/);

  const nameless = await create("!!!");
  assert.equal(nameless.exitCode, 2, nameless.stdout);
  assert.match(nameless.stderr, /name: nothing of "!!!" is left/);
});

test("a worker that is not running: status says so, and the saga goes on when it is started", async () => {
  const slug = freshSlug("absent");
  await containers.stop("backup-worker");
  const creating = create(slug);
  await until("status says that the backup's worker has not begun", 40_000, async () => {
    const { stdout, stderr } = await tenantctl(installation, "status", slug);
    return /backup .*its worker has not begun/.test(stdout) ? true : { not: stdout + stderr };
  });
  await containers.start("backup-worker");
  const { exitCode, stdout, stderr } = await creating;
  assert.equal(exitCode, 0, stdout + stderr);
});

test("abort while a step waits for its worker: rolled back, and nothing is left", async () => {
  const slug = freshSlug("abort");
  await containers.stop("backup-worker");
  const tenant = await tenants.requestTenant(wishFor(slug));
  await untilCommanded(tenant.tenantId, "backup");
  const aborted = await tenantctl(installation, "abort", slug, "--reason", "ordered by mistake");
  assert.equal(aborted.exitCode, 0, aborted.stderr);
  await containers.start("backup-worker");
  const saga = await expectNothingLeft(tenant);
  assert.equal(saga.error?.code, "aborted");
  const watched = await tenantctl(installation, "watch", slug);
  assert.equal(watched.exitCode, 1, watched.stdout);
  assert.match(watched.stdout, /aborted by .*: ordered by mistake/);
});

test("stuck in its rollback: status says at what and what to do, retry and resume end it when the reason is gone", async () => {
  const [retried, resumed] = [freshSlug("retry"), freshSlug("resume")];
  await containers.stop("backup-worker");
  const both = await Promise.all([retried, resumed].map((slug) => tenants.requestTenant(wishFor(slug))));
  for (const { tenantId } of both) await untilCommanded(tenantId, "backup");
  for (const { tenantId } of both)
    await until("the bucket is made", 30_000, async () =>
      (await step(tenantId, "storage"))?.phase === "done" ? true : undefined,
    );
  await containers.stop("minio");
  for (const { slug } of both)
    assert.equal((await tenantctl(installation, "abort", slug, "--reason", "no longer wanted")).exitCode, 0);
  await containers.start("backup-worker");
  for (const { tenantId } of both)
    assert.equal((await untilEnded(installation, tenantId, 90_000)).status, "stuck");
  const status = await tenantctl(installation, "status", retried);
  assert.match(status.stdout, /is stuck/);
  assert.match(status.stdout, /storage/);
  assert.match(status.stdout, /tenantctl retry/);

  await containers.start("minio");
  await containers.untilReady(["storage-worker"]);
  const retry = await tenantctl(
    installation,
    "retry",
    retried,
    "--step",
    "storage",
    "--reason",
    "minio is back",
  );
  assert.equal(retry.exitCode, 0, retry.stderr);
  const resume = await tenantctl(installation, "resume", resumed, "--reason", "minio is back");
  assert.equal(resume.exitCode, 0, resume.stderr);
  for (const tenant of both) await expectNothingLeftSoon(tenant);
});

// `stuck` is an end to untilEnded: the act is applied before it is answered, but the saga may be read before that.
const expectNothingLeftSoon = async (tenant: { tenantId: string; slug: string }): Promise<void> => {
  await until(`${tenant.slug} is stuck no more`, 30_000, async () =>
    (await untilEnded(installation, tenant.tenantId, 30_000)).status === "stuck" ? undefined : true,
  );
  await expectNothingLeft(tenant);
};
