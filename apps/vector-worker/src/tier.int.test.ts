import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { limitsInside } from "@deeplens/containers/testing";
import { tiers } from "@deeplens/contracts";
import { type CleanUps, cleanUps } from "@deeplens/testing";
import { type Rig, vectorRig } from "./testing/rig.ts";

const last: CleanUps = cleanUps();
let rig: Rig;
before(async () => {
  rig = await vectorRig(last);
});
after(() => last.run());

const limitsOf = async (container: string) => {
  const { State } = await rig.docker.getContainer(container).inspect();
  const { memoryBytes: memory, cpus } = await limitsInside(rig.engine, container);
  return { memory, cpus, startedAt: State.StartedAt };
};

// Seen to fail with a preview that limits.
test("a tier limits memory and processors without a new start, there and back; a preview changes nothing", async () => {
  const tenant = rig.tenant();
  await tenant.provision();
  const { startedAt } = await limitsOf(tenant.container);
  const free = { memory: tiers.free.vectorMemoryBytes, cpus: tiers.free.vectorCpus, startedAt };
  const { outputs } = await tenant.act("tier", "a resize", { tier: "professional", preview: "true" });
  assert.equal(outputs.overMemory, "false");
  assert.ok(Number(outputs.memoryInUse) > 0);
  assert.deepEqual(await limitsOf(tenant.container), free);
  await tenant.act("tier", "a resize", { tier: "professional" });
  const { vectorMemoryBytes: memory, vectorCpus: cpus } = tiers.professional;
  assert.deepEqual(await limitsOf(tenant.container), { memory, cpus, startedAt });
  await tenant.act("tier", "a resize", { tier: "free" });
  assert.deepEqual(await limitsOf(tenant.container), free);
});

// Seen to fail without the refusal: the container is limited below what it has in use.
test("a tier that is too small for the memory in use is refused, and nothing is changed", async () => {
  const tenant = rig.tenant({
    engine: { ...rig.engine, memoryInUse: async () => tiers.free.vectorMemoryBytes + 1 },
  });
  await tenant.provision();
  await tenant.act("tier", "a resize", { tier: "professional" });
  const preview = await tenant.act("tier", "a resize", { tier: "free", preview: "true" });
  assert.equal(preview.outputs.overMemory, "true");
  await assert.rejects(tenant.act("tier", "a resize", { tier: "free" }), { code: "over-memory" });
  assert.equal((await limitsOf(tenant.container)).memory, tiers.professional.vectorMemoryBytes);
});
