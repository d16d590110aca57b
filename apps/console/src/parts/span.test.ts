import assert from "node:assert/strict";
import { test } from "node:test";
import { fromNow, spanOf } from "./span.ts";

test("a span is told in its two largest units", () => {
  assert.deepEqual([0, 449.6, 1_234, 59_400, 60_000, 200_000, 7_260_000, 90_000_000].map(spanOf), [
    "0 ms",
    "450 ms",
    "1.2 s",
    "59 s",
    "1 min",
    "3 min 20 s",
    "2 h 1 min",
    "1 d 1 h",
  ]);
});

test("a time is told by how far it is, before and behind", () => {
  const now = Date.parse("2026-01-01T12:00:00Z");
  assert.deepEqual(
    [-1_000, -12_000, -3_700_000, 190_000, 172_800_000].map((off) => fromNow(now + off, now)),
    ["now", "12 s ago", "1 h ago", "in 3 min", "in 2 d"],
  );
});
