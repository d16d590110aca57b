import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { agentBackupsFolder } from "@deeplens/backup";
import { PermanentStepError } from "@deeplens/worker";
import { agentOf, backupRig, type Rig, resign } from "./testing/rig.ts";

const cleanUps: (() => Promise<void>)[] = [];
let rig: Rig;

before(async () => {
  rig = await backupRig((work) => cleanUps.push(work));
});
after(async () => {
  for (const work of cleanUps.reverse()) await work();
});

const refusedAs = (code: string) => (error: unknown) =>
  error instanceof PermanentStepError && error.code === code;
const points = async (): Promise<number> => {
  const { body } = await rig.source.vectors.ask("POST", "/collections/images/points/count", { exact: true });
  return (body as { result: { count: number } }).result.count;
};

test("a backup now is verified, told with its size, and taken once however often a saga asks; a drill proves it", async () => {
  const acme = rig.tenant();
  await acme.provision();
  const { outputs } = await acme.act("backup-now");
  assert.ok(Number(outputs.bytes) > 0 && Number(outputs.seconds) >= 0);
  assert.equal((await acme.act("backup-now")).outputs.backup, outputs.backup);
  const other = await acme.act("backup-now", {}, "another");
  assert.notEqual(other.outputs.backup, outputs.backup);
  await assert.rejects(acme.act("drill", { backup: "the last one" }), { code: "backup-unknown" });
  const drill = await acme.act("drill");
  assert.deepEqual(
    [drill.outputs.backup, drill.outputs.tables, drill.outputs.rows, drill.outputs.points],
    [other.outputs.backup, "2", "3", "2"],
  );
  const { client } = await agentOf(rig, acme, acme.secrets);
  const listing = await client.list(AbortSignal.timeout(5_000));
  assert.equal(listing.lastDrill?.backup, other.outputs.backup);
  assert.equal(listing.backups.length, 3);
  await acme.compensate();
});

test("a backup that can't be restored is refused by its reason, before anything is changed", async () => {
  const acme = rig.tenant();
  const { outputs } = await acme.provision();
  const backup = outputs.firstBackupId ?? "";
  const check = (parameters: Record<string, string>) => acme.act("check-backup", parameters);
  assert.deepEqual((await check({ backup })).receipt, [{ kind: "backup", name: backup, outcome: "good" }]);
  await assert.rejects(check({ backup: "../../etc" }), refusedAs("backup-unknown"));
  await assert.rejects(check({ backup: "20011124T020000Z-00abff" }), refusedAs("backup-unknown"));
  await assert.rejects(check({ backup, parts: "keys" }), refusedAs("parts-unknown"));
  const { engine } = rig.services;
  const dump = `${agentBackupsFolder}/${backup}/database.dump.zst.enc`;
  const cut = await engine.exec(acme.backup.container, ["truncate", "-s", "-5", dump]);
  assert.equal(cut.exitCode, 0);
  await assert.rejects(check({ backup }), refusedAs("backup-cut-off"));
  await assert.rejects(check({ backup, parts: "vectors" }), refusedAs("backup-cut-off"));
  await acme.compensate();
});

test("a backup of a newer template, of a newer engine, or with no space for it is refused by that", async () => {
  const acme = rig.tenant();
  await acme.provision();
  await rig.source.sql(
    "CREATE TABLE migrations (name text, sha256 text)",
    "INSERT INTO migrations VALUES ('0002-newer', 'x')",
    `GRANT SELECT ON migrations TO ${rig.source.database.user}`,
  );
  const backup = (await acme.act("backup-now")).outputs.backup ?? "";
  await rig.source.sql("DROP TABLE migrations");
  const check = (parts: string) => acme.act("check-backup", { backup, parts });
  const { client } = await agentOf(rig, acme, acme.secrets);
  const { backups } = await client.list(AbortSignal.timeout(5_000));
  const taken = backups.find(({ id }) => id === backup) ?? assert.fail("it is not listed");
  await assert.rejects(check("all"), refusedAs("backup-template-newer"));
  await assert.rejects(check("database"), /of template version 0002, and this installation's is 0001/);
  await check("vectors");
  const changed = (part: string, change: object) =>
    resign(rig, acme, {
      ...taken,
      parts: taken.parts.map((one) => (one.part === part ? { ...one, ...change } : one)),
    });
  acme.inputs["database.templateVersion"] = "0002";
  await changed("vectors", { serverVersion: "1.99.0" });
  await assert.rejects(check("all"), refusedAs("backup-engine-differs"));
  await assert.rejects(check("vectors"), /a snapshot of Qdrant 1\.99\.0, and the tenant's is 1\./);
  await check("database");
  await changed("database", { databaseBytes: 2 ** 50 });
  await assert.rejects(check("all"), refusedAs("backup-no-space"));
  await assert.rejects(check("database"), /1073741\d\d\d MiB are needed .* MiB are free/);
  await check("vectors");
  await acme.compensate();
});

test("vectors are tried out beside the live ones, switched, and switched back to the safety backup", async () => {
  const acme = rig.tenant();
  const { outputs } = await acme.provision();
  const backup = outputs.firstBackupId ?? "";
  const { ask } = rig.source.vectors;
  await ask("PUT", "/collections/images/points?wait=true", { points: [{ id: 3, vector: [3, 0, 0, 1] }] });
  const safety = (await acme.act("backup-now", {}, "restore")).outputs.backup ?? "";
  const tried = await acme.act("try-restore", { backup, parts: "vectors" });
  assert.deepEqual([tried.outputs.collections, tried.outputs.points], ["1", "2"]);
  assert.equal(await points(), 3);
  await acme.act("switch-vectors", { backup, parts: "vectors" });
  assert.equal(await points(), 2);
  await acme.act("switch-vectors", { backup, parts: "vectors" });
  acme.inputs["safety-backup.backup"] = safety;
  await acme.act("switch-vectors-back", { backup, parts: "vectors" });
  assert.equal(await points(), 3);
  await ask("POST", "/collections/images/points/delete?wait=true", { points: [3] });
  await acme.compensate();
});

test("a refresh gives the agent the newest credentials and settings, and keeps its backups", async () => {
  const acme = rig.tenant();
  await acme.provision();
  const key = `${acme.tenant.tenantId}/vectors.api-key`;
  const right = acme.secrets.values.get(key) ?? "";
  await acme.secrets.of(acme.tenant.tenantId).ensure("vectors.backup-key", () => right);
  const { outputs } = await acme.act("refresh");
  assert.equal(outputs.schedule, "0 2 * * *");
  const { client } = await agentOf(rig, acme, acme.secrets);
  assert.equal((await client.list(AbortSignal.timeout(5_000))).backups.length, 1);
  await acme.act("backup-now");
  await acme.compensate();
});

test("killed in the middle of a drill it is done again, and nothing of the first one is left", async () => {
  const acme = rig.tenant();
  await acme.provision();
  const { engine } = rig.services;
  const ended = acme.act("drill").then(
    () => "done",
    () => "broken off",
  );
  await delay(700);
  await engine.stop(acme.backup.container, { graceMs: 0 });
  await engine.start(acme.backup.container);
  await ended;
  await acme.act("drill");
  const { stdout } = await engine.exec(acme.backup.container, ["ls", "-A", agentBackupsFolder]);
  assert.ok(!stdout.split("\n").includes(".drill"), stdout);
  const { body } = await rig.source.vectors.ask("GET", "/collections");
  assert.ok(!JSON.stringify(body).includes("deeplens-trial"), JSON.stringify(body));
  await acme.compensate();
});

/** A database beside the live one, empty and the backup role's; a restore into it stands still at its table `usage`. */
const standingStill = async (): Promise<{
  into: string;
  reached(): Promise<void>;
  goOn(): Promise<void>;
}> => {
  const { database, user } = rig.source.database;
  const into = `${database}_restored`;
  const admin = await rig.source.connect("postgres");
  cleanUps.push(async () => {
    await admin.query(`DROP DATABASE IF EXISTS ${into} WITH (FORCE)`);
    await admin.end();
  });
  await admin.query(`CREATE DATABASE ${into} OWNER ${user} TEMPLATE template0`);
  const beside = await rig.source.connect(into);
  await beside.query(`
    CREATE SCHEMA tests;
    CREATE FUNCTION tests.stand_still() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity = 'public.usage') THEN
        PERFORM pg_advisory_xact_lock_shared(1);
      END IF;
    END $$;
    CREATE EVENT TRIGGER stand_still ON ddl_command_end EXECUTE FUNCTION tests.stand_still();
    SELECT pg_advisory_lock(1)`);
  return {
    into,
    reached: async () => {
      const held = "SELECT FROM pg_stat_activity WHERE datname = $1 AND wait_event = 'advisory'";
      for (let tries = 0; (await admin.query(held, [into])).rowCount === 0; tries++) {
        assert.ok(tries < 300, "no restore has come there");
        await delay(50);
      }
    },
    goOn: async () => {
      await beside.query("DROP EVENT TRIGGER stand_still; DROP SCHEMA tests CASCADE");
      await beside.end();
    },
  };
};

test("killed in the middle of a restore it is done again, over what the first one has left there", async () => {
  const acme = rig.tenant();
  const { outputs } = await acme.provision();
  const backup = outputs.firstBackupId ?? "";
  const { engine } = rig.services;
  const still = await standingStill();
  const restore = () => acme.act("try-restore", { backup, parts: "database", into: still.into });
  const ended = assert.rejects(restore());
  await still.reached();
  await engine.stop(acme.backup.container, { graceMs: 0 });
  await ended;
  await still.goOn();
  const again = await restore();
  assert.deepEqual([again.outputs.tables, again.outputs.rows], ["2", "3"]);
  await acme.compensate();
});

test("killed while it switches the vectors, they go back to the safety backup", async () => {
  const acme = rig.tenant();
  const { outputs } = await acme.provision();
  const { ask } = rig.source.vectors;
  await ask("PUT", "/collections/images/points?wait=true", { points: [{ id: 3, vector: [3, 0, 0, 1] }] });
  acme.inputs["safety-backup.backup"] = (await acme.act("backup-now")).outputs.backup ?? "";
  const told = { backup: outputs.firstBackupId ?? "", parts: "vectors" };
  const ended = acme.act("switch-vectors", told).then(
    () => "done",
    () => "broken off",
  );
  await rig.services.engine.stop(acme.backup.container, { graceMs: 0 });
  await ended;
  await acme.act("switch-vectors-back", told);
  assert.equal(await points(), 3);
  await ask("POST", "/collections/images/points/delete?wait=true", { points: [3] });
  await acme.compensate();
});
