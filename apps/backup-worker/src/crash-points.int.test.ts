import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { labelNames } from "@deeplens/contracts";
import { type CrashFixture, crashPoints, type Story } from "@deeplens/worker/testing";
import { agentOf, backupRig, type Rig } from "./testing/rig.ts";

// On the real engine, Postgres and Qdrant; only ledger and secrets are in memory.

const cleanUps: (() => Promise<void>)[] = [];
let rig: Rig;

const freshFixture = (): CrashFixture => {
  const { tenant, backup, command, undo, handler } = rig.tenant();
  const { engine } = rig.services;
  const labels = { [labelNames.tenantId]: tenant.tenantId };
  const names = async (): Promise<{ containers: string[]; volumes: string[] }> => {
    const { containers, volumes } = await engine.list(labels);
    return { containers: containers.map(({ name }) => name), volumes: volumes.map(({ name }) => name) };
  };
  return {
    step: "backup",
    installation: rig.source.installation,
    ...{ handler, command, undo },
    verifyWhole: async (done, { secrets, ledger }) => {
      assert.deepEqual(await names(), { containers: [backup.container], volumes: [backup.volume] });
      const { client } = await agentOf(rig, { backup, tenant }, secrets);
      const { backups, damaged, unknown } = await client.list(AbortSignal.timeout(5_000));
      assert.deepEqual(
        backups.map(({ id, tenantId }) => [id, tenantId]),
        [[done.outputs.firstBackupId, tenant.tenantId]],
      );
      assert.deepEqual([damaged, unknown], [[], []]);
      assert.deepEqual(
        ledger.rows().map(({ kind, name, state }) => `${kind} ${name} ${state}`),
        [`backup-volume ${backup.volume} made`, `backup-container ${backup.container} made`],
      );
    },
    verifyGone: async (receipt, { secrets, ledger }) => {
      assert.deepEqual(await names(), { containers: [], volumes: [] });
      for (const purpose of ["backup.token", "backup.key"])
        assert.equal(secrets.values.has(`${tenant.tenantId}/${purpose}`), false);
      assert.deepEqual(
        ledger.rows().filter(({ state }) => state !== "gone"),
        [],
      );
      assert.deepEqual(
        receipt.map(({ kind, name }) => `${kind} ${name}`),
        [
          `backup-container ${backup.container}`,
          `backup-volume ${backup.volume}`,
          "secret backup.token",
          "secret backup.key",
        ],
      );
      assert.ok(receipt.every(({ outcome }) => outcome !== "foreign"));
    },
    dispose: async () => {
      const left = await names();
      for (const name of left.containers) await engine.removeContainer(name);
      for (const name of left.volumes) await engine.removeVolume(name);
    },
  };
};

before(async () => {
  rig = await backupRig((work) => cleanUps.push(work));
});
after(async () => {
  for (const work of cleanUps.reverse()) await work();
});

describe("the backup step dies at any point", { concurrency: 3 }, () => {
  const stories: readonly [Story, string][] = [
    ["again", "and is done again: one container, one volume, one backup"],
    ["undo", "and is undone: nothing is left"],
    ["undo-again", "in its undo, and is undone again: nothing is left"],
  ];
  for (const [story, title] of stories)
    test(title, (t) => crashPoints(t, freshFixture, { stories: [story] }));
});
