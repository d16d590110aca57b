import assert from "node:assert/strict";
import { test } from "node:test";
import { actTables } from "../machine/act-table.ts";
import { machineSchema } from "./desk-schemas.ts";
import { chartOf } from "./machine-chart.ts";

const at = "2026-01-01T00:00:00.000Z";
const entry = (id: number, event: string, moved: object) => ({
  ...{ id, at, event, step: null, fence: null },
  body: { moved },
});

test("the chart is the machine's own: its states, its moves, and what stands before each step", () => {
  const chart = machineSchema.parse(chartOf("provision", { storage: "undoing" }, [], true));
  const storage = chart.regions.find(({ region }) => region === "storage");
  assert.deepEqual(storage?.initial, "pending");
  assert.deepEqual(
    storage?.nodes.filter(({ current }) => current).map(({ state }) => state),
    ["undoing"],
  );
  const moves = storage?.edges.map(({ from, to, event }) => `${from} ${event} ${to}`) ?? [];
  for (const move of ["running completed done", "undoFailed retry undoing", "failed null undoing"])
    assert.ok(moves.includes(move), move);
  assert.deepEqual(chart.regions.find(({ region }) => region === "identity")?.after, ["storage", "backup"]);
  assert.ok(chart.regions.some(({ region }) => region === "course"));
});

test("the way that a saga took is counted on the moves and kept in its order", () => {
  const history = [
    entry(1, "requested", { storage: [null, "running"] }),
    entry(2, "StepFailed", { storage: ["running", "backingOff"] }),
    entry(3, "back-off over", { storage: ["backingOff", "running"] }),
    entry(4, "StepProgressed", {}),
    entry(5, "StepCompleted", { storage: ["running", "done"] }),
  ];
  const storage = chartOf("provision", { storage: "done" }, history, true)?.regions.find(
    ({ region }) => region === "storage",
  );
  assert.deepEqual(
    storage?.path.map(({ to, history: id }) => [to, id]),
    [
      ["running", 1],
      ["backingOff", 2],
      ["running", 3],
      ["done", 5],
    ],
  );
  assert.equal(storage?.nodes.find(({ state }) => state === "running")?.visited, 2);
  assert.equal(storage?.edges.find(({ from, to }) => from === "running" && to === "done")?.taken, 1);
});

test("every kind of saga has a chart; a kind of a newer version has none", () => {
  for (const { kind } of actTables) assert.ok(chartOf(kind, {}, [], true), kind);
  assert.equal(chartOf("fly", {}, [], true), undefined);
});
