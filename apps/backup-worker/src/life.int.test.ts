import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { labelNames } from "@deeplens/contracts";
import type { OperationDone } from "@deeplens/worker";
import { type LifeFixture, lifeCrashPoints, type MemorySecrets } from "@deeplens/worker/testing";
import { agentOf, backupRig, type Rig, type TestTenant } from "./testing/rig.ts";

const cleanUps: (() => Promise<void>)[] = [];
let rig: Rig;
before(async () => {
  rig = await backupRig((work) => cleanUps.push(work));
});
after(async () => {
  for (const work of cleanUps.reverse()) await work();
});

const things = async ({ tenant }: Pick<TestTenant, "tenant">) => {
  const { containers, volumes } = await rig.services.engine.list({ [labelNames.tenantId]: tenant.tenantId });
  return [...containers, ...volumes].map(({ name }) => name);
};
const dispose = async ({ backup }: Pick<TestTenant, "backup">): Promise<void> => {
  await rig.services.engine.removeContainer(backup.container);
  await rig.services.engine.removeVolume(backup.volume);
};
const backupsOf = async (
  tenant: Pick<TestTenant, "backup" | "tenant">,
  secrets: MemorySecrets,
): Promise<number> => {
  const { client } = await agentOf(rig, tenant, secrets);
  return (await client.list(AbortSignal.timeout(5_000))).backups.length;
};
const outcomes = ({ receipt }: OperationDone) => receipt.map(({ outcome }) => outcome);
const code = (wanted: string) => (error: unknown) => (error as { code?: string }).code === wanted;

// Seen to fail with lifeOperations and removeResource that ask for no mark.
test("rule 17: backups go on while the tenant is suspended; a purge takes them away by its own mark, and finds nothing the second time", async (t) => {
  const tenant = rig.tenant();
  t.after(() => dispose(tenant));
  await tenant.provision();
  await assert.rejects(tenant.act("purge"), code("not-marked"));
  assert.deepEqual(outcomes(await tenant.act("suspend", {}, "removal")), ["goes-on"]);
  await tenant.act("backup-now");
  assert.equal(await backupsOf(tenant, tenant.secrets), 2);
  await assert.rejects(tenant.act("purge", {}, "another removal"), code("not-marked"));
  assert.equal((await things(tenant)).length, 2);
  assert.deepEqual(outcomes(await tenant.act("purge", {}, "removal")), Array(4).fill("removed"));
  assert.deepEqual(await things(tenant), []);
  for (const purpose of ["backup.token", "backup.key"])
    assert.equal(tenant.secrets.values.has(`${tenant.tenant.tenantId}/${purpose}`), false);
  const again = await tenant.act("purge", { purpose: "second-look" }, "removal");
  assert.deepEqual(outcomes(again), Array(4).fill("absent"));
  assert.ok(tenant.ledger.rows().every(({ state }) => state === "gone"));
});

test("rule 17: a suspend, a resume or a purge that dies anywhere is done again", async (t) => {
  await lifeCrashPoints(
    t,
    (): LifeFixture => {
      const tenant = rig.tenant();
      const { handler, command } = tenant;
      return {
        ...{ step: "backup", handler, command, installation: rig.source.installation },
        verifyWhole: async (_done, { secrets }) => assert.equal(await backupsOf(tenant, secrets), 1),
        verifySuspended: async ({ secrets }) => assert.equal(await backupsOf(tenant, secrets), 1),
        verifyGone: async () => assert.deepEqual(await things(tenant), []),
        dispose: () => dispose(tenant),
      };
    },
    { without: ["wait for the agent", "look for the image"] },
  );
});
