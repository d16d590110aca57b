import assert from "node:assert/strict";
import { test } from "node:test";
import { quantile, spreadOf } from "./statistics.ts";

test("a quantile is a value of the list, whatever its order", () => {
  assert.equal(quantile([30, 10, 20], 0.5), 20);
  assert.equal(quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.99), 10);
  assert.ok(Number.isNaN(quantile([], 0.5)));
});

test("a spread has the median between its ends", () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, min: 1, max: 3 });
});
