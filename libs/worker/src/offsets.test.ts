import assert from "node:assert/strict";
import { test } from "node:test";
import { createOffsets } from "./offsets.ts";

// Seen to fail with `committable` giving the newest finished offset.
test("rule 18: only the contiguous finished offset is committed", () => {
  const offsets = createOffsets();
  offsets.reset([0, 1]);
  const [first, second, third] = ["10", "11", "14"].map((offset) => offsets.taken(0, offset));
  assert.deepEqual(offsets.committable(), []);
  second?.();
  assert.deepEqual(offsets.committable(), []);
  first?.();
  const both = [{ partition: 0, offset: "12" }];
  assert.deepEqual(offsets.committable(), both);
  assert.deepEqual(offsets.committable(), both, "until Kafka has taken it");
  offsets.committed(both);
  assert.deepEqual(offsets.committable(), []);
  third?.();
  assert.deepEqual(offsets.committable(), [{ partition: 0, offset: "15" }]);
});

// Seen to fail with `reset` keeping the trackers.
test("rule 18: what was taken before a new assignment is never committed after it", () => {
  const offsets = createOffsets();
  offsets.reset([0]);
  const before = offsets.taken(0, "3");
  offsets.reset([1]);
  before();
  assert.deepEqual(offsets.committable(), []);
  offsets.taken(0, "4")();
  assert.deepEqual(offsets.committable(), []);
  offsets.taken(1, "0")();
  assert.deepEqual(offsets.committable(), [{ partition: 1, offset: "1" }]);
});

test("an offset beyond 2^53 keeps all its digits", () => {
  const offsets = createOffsets();
  offsets.reset([0]);
  offsets.taken(0, "9007199254740993")();
  assert.deepEqual(offsets.committable(), [{ partition: 0, offset: "9007199254740994" }]);
});
