import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { stackFileOf } from "@deeplens/testing";
import { addData, countData, type Data, tenant } from "./data.ts";
import { backUpControl, backUpTenant, repairTenant, restoreControl } from "./recovery.ts";
import type { Stage } from "./stage.ts";

/** One disaster: what is lost, how an operator comes back from it, and what it has cost. @throws where it has cost more */
export interface Rehearsal {
  readonly about: string;
  run(stage: Stage): Promise<void>;
}

const image = "debian:bookworm-slim";
const execute = promisify(execFile);

const remove = async ({ run, name }: Stage, service: string): Promise<void> => {
  await run("docker", "rm", "--force", `${name}-${service}`);
  await run("docker", "volume", "rm", `${name}_${service}_data`);
};

/** The start waits for an orchestrator that is ready, which it is when every partition is read again. */
const startAccepting = async (stage: Stage, reason: string): Promise<void> => {
  await Promise.all([stage.start(), stage.acceptAll(reason)]);
};

const tell = ({ note }: Stage, before: Data, now: Data): void =>
  note(`before: ${JSON.stringify(before)}; now: ${JSON.stringify(now)}`);

/** The tenant goes on after its disaster: it is well, and another one can be made and removed. */
const goesOn = async (stage: Stage): Promise<void> => {
  stage.note("the tenant is looked at, and another one is made");
  await stage.tenantctl("health", tenant);
  await stage.tenantctl(
    ...["create", `after-${Date.now().toString(36)}`, "--tier", "free", "--storage", "deeplens"],
    ...["--admin-email", `ada-${Date.now()}@example.com`, "--admin-name", "Ada Lovelace"],
  );
};

const lostPostgres: Rehearsal = {
  about: "the Postgres server is gone: the control database, every tenant's, and Identity's",
  async run(stage) {
    stage.note("data, a backup of the tenant and of the control database; then one more row");
    await addData(stage);
    const backup = await backUpTenant(stage);
    const control = await backUpControl(stage);
    await addData(stage);
    const before = await countData(stage);

    stage.note("the server and its disk are lost");
    await remove(stage, "postgres");
    stage.note("the fleet is stopped, Postgres is made again, empty, and the control database is restored");
    await stage.stopFleet("identity-api");
    await stage.start("--infra-only");
    await restoreControl(stage, control);
    // No partition stops: the log goes on from what the restored database has applied, and is applied again from there.
    await stage.start();
    stage.note("the tenant's database is made again, and filled from its backup");
    await repairTenant(stage, backup, "database");
    const now = await countData(stage);
    tell(stage, before, now);
    assert.deepEqual(now, { ...before, rows: before.rows - 1 });
  },
};

const lostKafka: Rehearsal = {
  about: "Kafka is gone with all its topics",
  async run(stage) {
    await addData(stage);
    await backUpTenant(stage);
    const before = await countData(stage);
    stage.note("the broker and its disk are lost");
    await remove(stage, "kafka");
    stage.note("it is made again, empty; registry and orchestrator make their topics when they start");
    await stage.stopFleet("schema-registry");
    await startAccepting(stage, "Kafka was lost");
    stage.note("the tenant's topic, user and rights are made again");
    await repairTenant(stage);
    const now = await countData(stage);
    tell(stage, before, now);
    assert.deepEqual(now, before);
    await goesOn(stage);
  },
};

const kafkaSetBack: Rehearsal = {
  about: "Kafka is restored to an earlier moment",
  async run(stage) {
    const { run, name } = stage;
    const copy = `${name}_kafka_copy`;
    const volume = `${name}_kafka_data`;
    const cp = (from: string, to: string) =>
      run(
        ...(["docker", "run", "--rm", "--volume", `${from}:/from`, "--volume", `${to}:/to`] as const),
        ...[image, "bash", "-c", "rm -rf /to/* && cp -a /from/. /to/"],
      );
    stage.note("Kafka's disk is copied");
    await run("docker", "stop", `${name}-kafka`);
    await run("docker", "volume", "create", copy);
    try {
      await cp(volume, copy);
      await run("docker", "start", `${name}-kafka`);
      stage.note("after the copy things go on: a suspend and a resume");
      for (const act of ["suspend", "resume"])
        await stage.tenantctl(act, tenant, "--yes", "--reason", "a rehearsal");
      const before = await countData(stage);
      stage.note("Kafka is set back to the copy");
      await run("docker", "stop", `${name}-kafka`);
      await cp(copy, volume);
      await run("docker", "start", `${name}-kafka`);
      await stage.acceptAll("Kafka was restored to an earlier moment");
      await repairTenant(stage);
      assert.deepEqual(await countData(stage), before);
      await goesOn(stage);
    } finally {
      await run("docker", "volume", "rm", copy);
    }
  },
};

const lostHost: Rehearsal = {
  about: "the host is gone; what was copied away is there: the state folder and the tenant's backups",
  async run(stage) {
    const { run, name } = stage;
    await addData(stage);
    const backup = await backUpTenant(stage);
    const control = await backUpControl(stage);
    const before = await countData(stage);
    stage.note("what is copied away every night");
    const state = dirname(stackFileOf(name));
    const away = mkdtempSync(join(tmpdir(), "deeplens-away-"));
    const volume = `${name}_backup_${tenant}_data`;
    const copied = ["control-backups", "master.key", "secrets", "ports.json"];
    const inContainer = (command: string, ...volumes: string[]) =>
      run(
        "docker",
        "run",
        "--rm",
        ...volumes.flatMap((one) => ["--volume", one]),
        image,
        "bash",
        "-c",
        command,
      );
    try {
      await run("cp", "-a", ...copied.map((one) => join(state, one)), away);
      await inContainer("tar -C /from -cf /to/acme.tar .", `${volume}:/from:ro`, `${away}:/to`);
      const { stdout } = await execute("docker", [
        "volume",
        "inspect",
        "--format",
        "{{json .Labels}}",
        volume,
      ]);
      const labels = Object.entries(JSON.parse(stdout) as Record<string, string>);

      stage.note("everything is lost");
      await run("node", "scripts/reset.mjs", "--installation", name, "--yes");
      stage.note("another host: what was copied is put in its place, the services are made, empty");
      await run("mkdir", "-p", state);
      await run("cp", "-a", ...copied.map((one) => join(away, one)), state);
      await stage.start("--infra-only");
      await restoreControl(stage, control);
      await run(
        "docker",
        "volume",
        "create",
        ...labels.flatMap(([key, value]) => ["--label", `${key}=${value}`]),
        volume,
      );
      await inContainer("tar -C /to -xf /from/acme.tar", `${away}:/from:ro`, `${volume}:/to`);
      await startAccepting(stage, "the host was lost");
      stage.note("the tenant's parts are made again, and filled from its backup");
      await repairTenant(stage, backup);
      const now = await countData(stage);
      tell(stage, before, now);
      // Objects are in no backup.
      assert.deepEqual(now, { ...before, objects: 0 });
    } finally {
      rmSync(away, { recursive: true });
    }
  },
};

const lostMasterKey: Rehearsal = {
  about: "the file master.key is gone, and then its copy is found",
  async run(stage) {
    const { run, name } = stage;
    await addData(stage);
    const before = await countData(stage);
    const file = join(dirname(stackFileOf(name)), "master.key");
    await stage.tenantctl("keys");
    stage.note("the file is lost; a start makes another key");
    await run("mv", file, `${file}.copy`);
    await stage.stopFleet("control-backup");
    await stage.start();
    stage.note("no stored credential opens any more; the tenant has them, and goes on with them");
    await assert.rejects(
      stage.tenantctl("credentials", tenant, "--yes", "--reason", "a rehearsal"),
      (error: { code?: unknown }) => error.code === 1 || error.code === 2,
    );
    stage.note("the copy is found, and put back");
    await run("mv", `${file}.copy`, file);
    await stage.stopFleet("control-backup");
    await stage.start();
    assert.deepEqual(await countData(stage), before);
    await goesOn(stage);
  },
};

export const rehearsals: Readonly<Record<string, Rehearsal>> = {
  "lost-postgres": lostPostgres,
  "lost-kafka": lostKafka,
  "kafka-set-back": kafkaSetBack,
  "lost-host": lostHost,
  "lost-master-key": lostMasterKey,
};
