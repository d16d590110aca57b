import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { shardOf } from "@deeplens/contracts";
import { filesOf } from "./testing/rig/file-step.ts";
import { shards, type WorkerRig, workerRig } from "./testing/rig/worker-rig.ts";

let rig: WorkerRig;
const cleanUps: (() => Promise<void>)[] = [];
before(async () => {
  rig = await workerRig((work) => void cleanUps.push(work));
});
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

test("a command is done and answered on its slug's shard, and undone with a receipt", async () => {
  await rig.spawn();
  const tenant = rig.tenant();
  await rig.send(rig.provision(tenant, 1));
  const reply = await rig.answer(tenant, 1);
  assert.equal(reply.record, "StepCompleted");
  assert.deepEqual(await filesOf(rig.folder, tenant.slug), { one: tenant.tenantId, two: tenant.tenantId });
  const heard = rig.heard.find(({ reply: one }) => one.value.slug === tenant.slug);
  assert.equal(heard?.partition, shardOf(tenant.slug, shards));

  await rig.send(rig.undo(tenant, 2));
  const undone = await rig.answer(tenant, 2);
  assert.equal(undone.record, "StepCompensated");
  assert.deepEqual(await filesOf(rig.folder, tenant.slug), {});
});
