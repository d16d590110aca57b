import assert from "node:assert/strict";
import { test } from "node:test";
import { provisioning } from "@deeplens/saga-orchestrator/saga-kind";
import { criticalPath } from "./critical-path.ts";

test("the slowest chain counts, not the sum and not the slowest step", () => {
  const durations = { database: 300, storage: 900, vectors: 400, backup: 600, identity: 50 };
  assert.equal(criticalPath(provisioning, durations), 400 + 600 + 50);
  assert.equal(criticalPath(provisioning, { ...durations, database: 500 }), 500 + 600 + 50);
  assert.equal(criticalPath(provisioning, { ...durations, storage: 1_200 }), 1_200 + 50);
});

test("a step that was left out takes no time, and breaks no chain", () => {
  assert.equal(criticalPath(provisioning, { database: 300, vectors: 400, backup: 600, identity: 50 }), 1_050);
  assert.equal(criticalPath(provisioning, { vectors: 400, identity: 50 }), 450);
  assert.equal(criticalPath(provisioning, {}), 0);
});
