import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonOf, tableOf } from "./report.ts";
import { spreadOf } from "./statistics.ts";

const spread = spreadOf([
  { wall_ms: 2, steps: { backup: 1 } },
  { wall_ms: 4.00049, steps: { backup: 3 } },
  { wall_ms: 3, steps: { backup: 2 } },
]);

test("one line of JSON has the medians by their keys, minimum and maximum beside them", () => {
  assert.deepEqual(JSON.parse(jsonOf({ bench: "tenant", runs: 3, variants: { "": spread } })), {
    bench: "tenant",
    runs: 3,
    wall_ms: 3,
    steps: { backup: 2 },
    min: { wall_ms: 2, steps: { backup: 1 } },
    max: { wall_ms: 4, steps: { backup: 3 } },
  });
});

test("variants that were compared have their names", () => {
  const found = JSON.parse(jsonOf({ bench: "engine", runs: 3, variants: { one: spread, two: spread } }));
  assert.deepEqual(Object.keys(found.variants), ["one", "two"]);
  assert.equal(found.variants.two.max.steps.backup, 3);
});

test("the table has groups indented", () => {
  assert.match(
    tableOf({ bench: "tenant", runs: 3, variants: { "": spread } }),
    /^\ntenant: median of 3 \(minimum to maximum\)\n {2}wall_ms +3 {3}\(2 to 4\.00\)\n {2}steps\n {4}backup +2 {3}\(1 to 3\)$/,
  );
});

test("what was compared in pairs has its ratio with its interval, in the table and in JSON", () => {
  const ratios = [{ key: "sagas_per_s", of: "full", to: "empty", ratio: 0.95, low: 0.91, high: 0.992 }];
  const report = { bench: "engine", runs: 5, variants: { empty: spread, full: spread }, ratios };
  assert.match(
    tableOf(report),
    /\n\nsagas_per_s, full to empty: 0\.950 \(95 % interval of 5 pairs: 0\.910 to 0\.992\)$/,
  );
  assert.deepEqual(JSON.parse(jsonOf(report)).ratios, ratios);
});
