import assert from "node:assert/strict";
import { test } from "node:test";
import { pairedRatio, quantile, spreadOf } from "./statistics.ts";

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

test("a ratio of pairs has an interval, which a machine that is slow for both leaves alone", () => {
  const { ratio, low, high } = pairedRatio([90, 47, 88], [100, 50, 100]);
  // By hand: logs -0.10536, -0.06188, -0.12783; mean -0.09836; standard error 0.01936; times 4.303.
  assert.ok(Math.abs(ratio - 0.9063) < 1e-4, String(ratio));
  assert.ok(Math.abs(low - 0.8339) < 1e-4, String(low));
  assert.ok(Math.abs(high - 0.985) < 1e-4, String(high));
  assert.ok(Number.isNaN(pairedRatio([1], [2]).low));
});
