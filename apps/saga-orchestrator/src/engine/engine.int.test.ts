import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startHarness } from "../testing/engine-harness.ts";
import { failure, success } from "../testing/scripted-worker.ts";

const harness = await startHarness(after);
const orchestrator = await harness.orchestrator();
await harness.worker({
  script: (command) =>
    command.record === "TenantRequested" &&
    command.value.slug.startsWith("fails") &&
    command.value.step === "backup"
      ? failure(command, true)
      : success(command),
});

test("a request becomes a ready tenant, and a failed step rolls its tenant back", async () => {
  await harness.request("Alpha One");
  await harness.request("Fails Here");
  const [alpha] = await harness.until(["alpha-one"], ["ready"]);
  const [fails] = await harness.until(["fails-here"], ["closed"]);
  assert.equal(alpha?.status, "ready");
  assert.equal(fails?.error?.code, "scripted");
  await orchestrator.stop();
  assert.deepEqual(harness.lifecycle.map(({ record, slug }) => [record, slug]).sort(), [
    ["TenantProvisioned", "alpha-one"],
    ["TenantProvisioningFailed", "fails-here"],
  ]);
});
