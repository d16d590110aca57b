import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { backupPath, pgpassText } from "@deeplens/backup";
import { createSecretStore, masterKeyOf, migrateSecrets, newMasterKeyLine } from "@deeplens/secrets";
import { cleanUps, stack, testDatabase } from "@deeplens/testing";
import { postgresDatabase } from "../database.ts";
import {
  type ControlBackups,
  keyOf,
  listControlBackups,
  removeExpired,
  takeControlBackup,
} from "./control-backups.ts";
import { restoreControlBackup } from "./restore-control-backup.ts";

// With the tools of the agents' image, where the process runs.

const endings = cleanUps();
after(() => endings.run());
const home = mkdtempSync(join(tmpdir(), "control-backups-"));
endings.add(async () => rmSync(home, { recursive: true, force: true }));
const { pool, address } = await testDatabase(endings.add);
const line = newMasterKeyLine(1);
const owner = "6f0c1c1e-6d0b-5d5e-9d0b-2f9f3b1d7a55";
const { signal } = new AbortController();

/** A folder with pg_dump and pg_restore, each of which runs in a container of the image. */
const tools = mkdtempSync(join(home, "tools-"));
for (const tool of ["pg_dump", "pg_restore"])
  writeFileSync(
    join(tools, tool),
    `#!/bin/sh
export PATH='${process.env.PATH}'
exec docker run --rm --interactive --network host --user 0 --volume "$PGPASSFILE:$PGPASSFILE:ro" --env PGPASSFILE --env LC_ALL \
  --entrypoint ${tool} '${stack().images.backup}' "$@"
`,
    { mode: 0o755 },
  );

let backups: ControlBackups;
let now = new Date("2026-01-01T01:30:00Z");
beforeEach(async () => {
  const folder = mkdtempSync(join(home, "folder-"));
  const pgpass = join(folder, ".pgpass");
  writeFileSync(pgpass, pgpassText({ ...address, database: "*" }), { mode: 0o600 });
  const backupFolder = mkdtempSync(join(home, "backups-"));
  backups = {
    installation: "test",
    folder: backupFolder,
    masterKey: masterKeyOf({ DEEPLENS_MASTER_KEY: line }),
    database: postgresDatabase(address, { pgpass, path: tools }),
    retentionDays: 30,
    now: () => now,
  };
  await pool.query("DROP SCHEMA IF EXISTS secrets CASCADE; DROP SCHEMA IF EXISTS worker CASCADE");
  await migrateSecrets(pool);
  await pool.query("CREATE SCHEMA worker; CREATE TABLE worker.parts (slug text, step text, fence bigint)");
  await createSecretStore(pool, line)
    .of(owner as never)
    .ensure("key", () => "hush-hush");
});

const told: string[] = [];
const restore = (id: string, replace = false) =>
  // The pool of this test is somebody else who is connected, like a fleet that runs.
  restoreControlBackup(
    { ...backups, database: { ...backups.database, otherSessions: async () => [] } },
    { id, replace },
    { signal, say: (text) => told.push(text) },
  );
const secret = async (): Promise<string | undefined> =>
  createSecretStore(pool, line)
    .of(owner as never)
    .read("key");

test("a backup is encrypted, was read back, and brings back what was lost, the secrets with it", async () => {
  const { id, parts } = await takeControlBackup(backups, "schedule", signal);
  const file = readFileSync(join(backupPath(backups.folder, id), parts[0]?.file ?? ""));
  assert.ok(!file.includes("secrets") && !file.includes("PGDMP"));
  await pool.query("DROP SCHEMA secrets CASCADE; DROP SCHEMA worker CASCADE");
  const { rows, safety } = await restore(id);
  assert.ok(rows >= 1);
  assert.equal(safety, undefined);
  assert.equal(await secret(), "hush-hush");
});

test("a database that is not empty is replaced on demand only, and what was in it is backed up first", async () => {
  const { id } = await takeControlBackup(backups, "schedule", signal);
  await pool.query("DELETE FROM secrets.secrets");
  await assert.rejects(restore(id), /is not empty \(secrets, worker\): --replace/);
  assert.equal(await secret(), undefined);
  const { safety } = await restore(id, true);
  assert.equal(await secret(), "hush-hush");
  await restore(safety ?? "", true);
  assert.equal(await secret(), undefined);
});

test("nothing is touched while others are connected, and they are named", async () => {
  const { id } = await takeControlBackup(backups, "schedule", signal);
  await pool.query("SELECT 1");
  const attempt = restoreControlBackup(backups, { id, replace: true }, { signal, say: () => undefined });
  await assert.rejects(attempt, /others are connected to the control database \(tests\): stop the fleet/);
  assert.equal(await secret(), "hush-hush");
});

test("another master key, another installation and a flipped bit are refused before anything is touched", async () => {
  const { id, parts } = await takeControlBackup(backups, "schedule", signal);
  const [manifest] = await listControlBackups(backups.folder);
  assert.ok(manifest !== undefined);
  const other = masterKeyOf({ DEEPLENS_MASTER_KEY: newMasterKeyLine(1) });
  assert.throws(
    () => keyOf({ ...backups, masterKey: other }, manifest),
    /does not open with this master key/,
  );
  assert.throws(() => keyOf({ ...backups, installation: "other" }, manifest), /not of installation other/);
  const file = join(backupPath(backups.folder, id), parts[0]?.file ?? "");
  const bytes = readFileSync(file);
  bytes[500] = (bytes[500] ?? 0) ^ 1;
  writeFileSync(file, bytes);
  await assert.rejects(restore(id, true), /can't be used/);
  await assert.rejects(restore("20260101T013000Z-abcdef", true), /there is no backup/);
  assert.equal(await secret(), "hush-hush");
});

test("after a rotation old backups open as long as their line is in the file, and new ones are under the new key", async () => {
  const first = await takeControlBackup(backups, "schedule", signal);
  const rotated = masterKeyOf({ DEEPLENS_MASTER_KEY: `${line}\n${newMasterKeyLine(2)}` });
  const second = await takeControlBackup({ ...backups, masterKey: rotated }, "schedule", signal);
  assert.deepEqual([first.key.wrapped.keyVersion, second.key.wrapped.keyVersion], ["v1", "v2"]);
  assert.equal(keyOf({ ...backups, masterKey: rotated }, first).length, 32);
});

test("old backups go, the last good one never; what a crash left is swept by the next", async () => {
  const first = await takeControlBackup(backups, "schedule", signal);
  now = new Date("2026-03-01T01:30:00Z");
  writeFileSync(join(backups.folder, "notes.txt"), "mine");
  const crashed = `.taking-20260228T013000Z-${randomBytes(3).toString("hex")}`;
  mkdirSync(join(backups.folder, crashed));
  const second = await takeControlBackup(backups, "schedule", signal);
  await removeExpired(backups);
  assert.deepEqual(readdirSync(backups.folder).sort(), [second.id, "notes.txt"].sort());
  assert.notEqual(first.id, second.id);
});

test("a backup that is past its time can be restored: the one that is taken before does not remove it", async () => {
  now = new Date("2026-01-01T01:30:00Z");
  const { id } = await takeControlBackup(backups, "schedule", signal);
  now = new Date("2026-03-01T01:30:00Z");
  await pool.query("DELETE FROM secrets.secrets");
  await restore(id, true);
  assert.equal(await secret(), "hush-hush");
});

test("a dump that fails leaves nothing", async () => {
  const database = { ...backups.database, dump: () => Promise.reject(new Error("disk full")) };
  await assert.rejects(takeControlBackup({ ...backups, database }, "schedule", signal), /disk full/);
  assert.deepEqual(readdirSync(backups.folder), []);
});
