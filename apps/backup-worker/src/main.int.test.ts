import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { migrateSecrets } from "@deeplens/secrets";
import { cleanUps } from "@deeplens/testing";
import { assertNamesWhatIsMissing, type WorkerRig, workerRig } from "@deeplens/testing/worker";
import { agentClient } from "./agent-client.ts";
import { agentUrl, keyPurpose, tokenPurpose } from "./tenant-backup.ts";
import { ownNetwork } from "./testing/own-network.ts";
import { backupRig, type Rig } from "./testing/rig.ts";

// The process itself, as an installation of its own on the test installation's services.

const main = new URL("./main.ts", import.meta.url);
const last = cleanUps();
let rig: Rig;
let worker: WorkerRig;

before(async () => {
  const network = ownNetwork(last);
  rig = await backupRig(last.add);
  const { installation, image, database, redis } = rig.source;
  const relay = await network.open(rig.source);
  worker = await workerRig({
    ...{ step: "backup", main, cleanUps: last, installation },
    variables: {
      DOCKER_HOST: process.env.DOCKER_HOST ?? "",
      BACKUP_IMAGE: image,
      BACKUP_REACH: "published",
      TENANT_DB_HOST: relay,
      REDIS_HOST: relay,
      REDIS_PORT: String(redis.port),
      TENANT_DB_PORT: String(database.port),
    },
  });
});
after(() => last.run());

test("the worker process gives a tenant its backups and undoes it, tells no secret, and stops within 10 s", async () => {
  const { tenant, backup, command } = rig.tenant();
  const { database, redis, vectors } = rig.source;
  const { engine } = rig.services;
  // The earlier steps have stored their secrets before this one is commanded.
  await migrateSecrets(worker.database.pool);
  const secrets = worker.secrets.of(tenant.tenantId);
  await secrets.ensure("database.backup", () => database.password);
  await secrets.ensure("redis.backup", () => redis.password);
  await secrets.ensure("vectors.api-key", () => vectors.apiKey);

  const running = worker.start();
  await worker.provision(command, { fence: 1, workMs: 60_000 });
  const done = await worker.answer(tenant, 1, 90_000);
  assert.ok(done.record === "StepCompleted", JSON.stringify(done));
  const { container, volume, firstBackupId, tokenRef } = done.value.outputs;
  assert.deepEqual([container, volume], [backup.container, backup.volume]);
  assert.match(tokenRef ?? "", /^secret:/);
  const token = (await secrets.read(tokenPurpose)) ?? assert.fail("no token was stored");
  const sight = (await engine.container(backup.container)) ?? assert.fail("there is no container");
  const client = agentClient(agentUrl(rig.services, backup, sight), token);
  const { backups } = await client.list(AbortSignal.timeout(10_000));
  assert.deepEqual(
    backups.map(({ id, tenantId }) => [id, tenantId]),
    [[firstBackupId, tenant.tenantId]],
  );

  await worker.undo(tenant, { fence: 2 });
  const undone = await worker.answer(tenant, 2, 60_000);
  assert.ok(undone.record === "StepCompensated", JSON.stringify(undone));
  assert.deepEqual(
    undone.value.receipt.map(({ kind, name, outcome }) => `${kind} ${name} ${outcome}`),
    [
      `backup-container ${backup.container} removed`,
      `backup-volume ${backup.volume} removed`,
      `secret ${tokenPurpose} removed`,
      `secret ${keyPurpose} removed`,
    ],
  );
  assert.equal(await engine.container(backup.container), undefined);
  assert.equal(await engine.volume(backup.volume), undefined);
  assert.equal(await secrets.read(tokenPurpose), undefined);

  await running.assertStopsCleanly();
  worker.assertToldNoSecret(running, [token, database.password, redis.password, vectors.apiKey]);
});

test("a process without its environment names every variable that it misses, and exits 78", () =>
  assertNamesWhatIsMissing(main, [
    "BACKUP_IMAGE",
    "TENANT_DB_HOST",
    "REDIS_HOST",
    "KAFKA_BROKERS",
    "CONTROL_DB_PASSWORD",
    "DEEPLENS_MASTER_KEY",
  ]));
