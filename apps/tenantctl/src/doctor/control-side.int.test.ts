import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { commandsTopic, topicName, topicsOf } from "@deeplens/contracts";
import { connectKafka, createProducer, ensureTopics } from "@deeplens/messaging";
import { migrate, type Pool } from "@deeplens/postgres";
import { createSecretStore, migrateSecrets, newMasterKeyLine } from "@deeplens/secrets";
import { createLogger } from "@deeplens/telemetry";
import { stack, testDatabase } from "@deeplens/testing";
import { backups } from "./checks/backups.ts";
import { secrets } from "./checks/secrets.ts";
import { shards } from "./checks/shards.ts";
import { workers } from "./checks/workers.ts";
import type { Patient } from "./patient.ts";
import { atTheEnd, examined, nobodys, onlyFinding, patientWith } from "./testing/patients.ts";

const folder = mkdtempSync(join(tmpdir(), "doctor-keys-"));
atTheEnd(async () => rmSync(folder, { recursive: true, force: true }));

/** An installation with an empty control database of the test's own. */
const withDatabase = async (
  change: Partial<Patient["stack"]> = {},
): Promise<{ patient: Patient; pool: Pool }> => {
  const { address, pool } = await testDatabase(atTheEnd);
  const patient = patientWith((now) => ({
    controlDb: { ...now.controlDb, database: address.database },
    ...change,
  }));
  return { patient, pool };
};

test("workers that are away are named in one finding, with how much waits for them", async () => {
  const patient = nobodys();
  const { installation } = patient;
  const kafka = connectKafka(stack().kafka, { clientId: "tests", log: createLogger("tests", "silent") });
  const admin = kafka.admin();
  const producer = createProducer(kafka);
  await Promise.all([admin.connect(), producer.connect()]);
  atTheEnd(async () => {
    await admin.deleteTopics({ topics: topicsOf().map((topic) => topicName(installation, topic)) });
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  });
  await ensureTopics(admin, installation, topicsOf(), { shards: 2 });
  const topic = topicName(installation, commandsTopic("database"));
  await producer.send({ topic, messages: [{ value: "one" }, { value: "two" }] });
  assert.match(
    onlyFinding(await examined(workers, patient)),
    new RegExp(
      `^problem: nobody reads as saga-orchestrator, db-worker, .*, and 2 records wait \\| docker start ${installation}-saga-orchestrator ${installation}-db-worker`,
    ),
  );
});

test("backups that fail and copies that are behind are named with their reason, a tenant once", async () => {
  const { patient, pool } = await withDatabase();
  await migrate(pool, "worker", new URL("../../../../libs/worker/migrations/", import.meta.url));
  const seen = (slug: string, reason: string | null, facts: object) =>
    pool.query(
      `INSERT INTO worker.probes (tenant_id, step, slug, told, every, due_at, checked_at, healthy, reason, facts)
       VALUES ($1, 'backup', $2, '{}', interval '1 hour', now(), now(), $3, $4, $5)`,
      [randomUUID(), slug, reason === null, reason, facts],
    );
  await seen("acme", null, { "backup.ok": "true", "copies.ok": "true" });
  assert.equal((await examined(backups, patient)).status, "ok");
  await seen("beta", "copies: is not in s3://copies yet", { "backup.ok": "true", "copies.ok": "false" });
  await seen("gamma", "backup: the agent is not ready", { "backup.ok": "false", "copies.ok": "false" });
  const { findings } = await examined(backups, patient);
  const told = findings.map(({ severity, what, mend }) => `${severity}: ${what} | ${mend}`).join("\n");
  assert.match(told, /^warning: the backup of 1 tenants is ill: gamma .* \| tenantctl health gamma/);
  assert.match(told, /\nwarning: the copy in the backup bucket of 1 tenants is ill: beta .*s3:\/\/copies/);
});

test("a stopped partition, a stuck saga and a timer that nobody runs, each with the act that mends it", async () => {
  const { patient, pool } = await withDatabase();
  assert.match(onlyFinding(await examined(shards, patient)), /orchestrator.* does not exist/);
  const folder = new URL("../../../saga-orchestrator/migrations/", import.meta.url);
  const migrations = readdirSync(folder)
    .sort()
    .map((name) => readFileSync(new URL(name, folder), "utf8"));
  await pool.query(
    `CREATE SCHEMA orchestrator; SET search_path TO orchestrator; ${migrations.join(";\n")}; RESET search_path`,
  );
  await pool.query("INSERT INTO orchestrator.shards (shard) VALUES (0), (1)");
  assert.equal((await examined(shards, patient)).status, "ok");

  await pool.query(
    "UPDATE orchestrator.shards SET replies_stopped = 'the log is another one' WHERE shard = 1",
  );
  const saga = (slug: string, status: string, due: string) =>
    pool.query(
      `INSERT INTO orchestrator.sagas (saga_id, tenant_id, slug, shard, kind, status, machine_version, version, snapshot,
         steps, timers, error, request, next_due, created_at, updated_at)
       VALUES ($1, $1, $2, 0, 'provision', $3, 1, 1, '{}', '{}', '{}', '{"code": "x"}', '{}', ${due}, now(), now())`,
      [randomUUID(), slug, status],
    );
  await saga("acme", "stuck", "NULL");
  await saga("beta", "running", "now() - interval '5 minutes'");
  await saga("gamma", "running", "now() + interval '5 minutes'");
  await saga("delta", "done", "now() + interval '5 minutes'");
  const { findings, seen } = await examined(shards, patient);
  assert.match(seen, /^3 unfinished sagas/);
  const told = findings.map(({ severity, what, mend }) => `${severity}: ${what} | ${mend}`).join("\n");
  assert.match(
    told,
    /^problem: replies of shard 1 are read no more: the log is another one \| .*tenantctl shards accept 1 --stream replies/,
  );
  assert.match(told, /\nwarning: 1 sagas wait for an operator: acme \| tenantctl saga acme/);
  assert.match(
    told,
    new RegExp(
      `\nproblem: 1 sagas wait for a timer .* \\| docker start ${stack().installation}-saga-orchestrator`,
    ),
  );
});

test("secrets under a key that is lost, or older than the current one, and a file that others may read", async () => {
  const masterKeyFile = join(folder, "master.key");
  const { patient, pool } = await withDatabase({ masterKeyFile });
  const [first, second] = [newMasterKeyLine(1), newMasterKeyLine(2)];
  await migrateSecrets(pool);
  await createSecretStore(pool, first)
    .of(randomUUID() as never)
    .ensure("key");
  const found = async (...lines: readonly string[]) => {
    writeFileSync(masterKeyFile, `${lines.join("\n")}\n`, { mode: 0o600 });
    return examined(secrets, patient);
  };
  assert.equal((await found(first)).status, "ok");
  assert.match(onlyFinding(await found(second)), /^problem: 1 secrets are under master key v1, which/);
  assert.match(
    onlyFinding(await found(first, second)),
    /^warning: 1 secrets are still under the older master key v1 \| tenantctl keys rotate-master/,
  );
  await found(first);
  chmodSync(masterKeyFile, 0o644);
  assert.match(onlyFinding(await examined(secrets, patient)), /others than its owner .* \| chmod 600/);
});
