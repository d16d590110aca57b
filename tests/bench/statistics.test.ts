import assert from "node:assert/strict";
import { test } from "node:test";
import { quantile, spreadOf } from "./statistics.ts";

test("a quantile is a value of the list, whatever its order", () => {
  assert.equal(quantile([30, 10, 20], 0.5), 20);
  assert.equal(quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.99), 10);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

test("a spread has the median between its ends, number by number and group by group", () => {
  const runs = [
    { wall_ms: 3, steps: { backup: 30 } },
    { wall_ms: 1, steps: { backup: 10, identity: 7 } },
    { wall_ms: 2, steps: { backup: 20 } },
  ];
  assert.deepEqual(spreadOf(runs), {
    median: { wall_ms: 2, steps: { backup: 20, identity: 7 } },
    min: { wall_ms: 1, steps: { backup: 10, identity: 7 } },
    max: { wall_ms: 3, steps: { backup: 30, identity: 7 } },
  });
});
