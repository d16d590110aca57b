import assert from "node:assert/strict";
import { test } from "node:test";
import { gather } from "./gather.ts";

test("what is added in one turn is taken at once, what comes later by itself", async () => {
  const taken: (readonly number[])[] = [];
  const add = gather<number>(async (items) => void taken.push(items));
  await Promise.all([add([1, 2]), Promise.resolve().then(() => add([3]))]);
  await add([4]);
  assert.deepEqual(taken, [[1, 2, 3], [4]]);
});

test("each adder hears of a failure", async () => {
  const add = gather<number>(async () => Promise.reject(new Error("no")));
  const results = await Promise.allSettled([add([1]), add([2])]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["rejected", "rejected"],
  );
});
