import assert from "node:assert/strict";
import { test } from "node:test";
import { type HistoryEntry, segmentsOf } from "./segments.ts";

const at = (second: number): string => new Date(second * 1_000).toISOString();
const entry = (second: number, moved?: Record<string, [string | null, string]>): HistoryEntry => ({
  id: second,
  at: at(second),
  event: "StepFailed",
  step: null,
  fence: null,
  body: moved === undefined ? {} : { moved },
});

test("a step's tries are segments of their own, side by side with other steps', and rest is none", () => {
  const history = [
    entry(0, { course: [null, "provisioning"], storage: [null, "waiting"], database: [null, "waiting"] }),
    entry(1, { storage: ["waiting", "running"] }),
    entry(2, { storage: ["running", "backingOff"], database: ["waiting", "running"] }),
    entry(3),
    entry(4, { storage: ["backingOff", "waiting"], database: ["running", "done"] }),
  ];
  const told = segmentsOf(history).map(
    ({ region, state, fromMs, toMs }) =>
      `${region} ${state} ${fromMs / 1_000}-${toMs === undefined ? "" : toMs / 1_000}`,
  );
  assert.deepEqual(told, [
    "storage waiting 0-1",
    "storage running 1-2",
    "database waiting 0-2",
    "storage backingOff 2-4",
    "database running 2-4",
    "storage waiting 4-",
  ]);
});
