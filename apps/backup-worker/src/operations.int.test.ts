import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { agentBackupsFolder } from "@deeplens/backup";
import { PermanentStepError } from "@deeplens/worker";
import { agentOf, backupRig, type Rig } from "./testing/rig.ts";

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
