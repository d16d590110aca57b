import assert from "node:assert/strict";
import { test } from "node:test";
import { recordHash, startPlanOf } from "./positions.ts";

const at = (next: number) => ({ next, hash: "the last one's" });

test("rule 03: what was never applied is read from where reading began, or from where the log begins by now", () => {
  const never = (next: number, low: number, high: number) => startPlanOf({ next, hash: null }, { low, high });
  assert.deepEqual(never(0, 7, 9), { kind: "start", at: 7 });
  assert.deepEqual(never(0, 0, 0), { kind: "start", at: 0 });
  assert.deepEqual(never(5, 0, 9), { kind: "start", at: 5 });
  assert.equal(never(5, 0, 4).kind, "stop");
  assert.equal(never(5, 6, 9).kind, "stop");
});

test("rule 03: reading begins with the last applied record, which must bear the stored hash", () => {
  const verify = { kind: "verify", at: 4, hash: "the last one's" };
  assert.deepEqual(startPlanOf(at(5), { low: 0, high: 9 }), verify);
  assert.deepEqual(startPlanOf(at(5), { low: 4, high: 5 }), verify);
});

test("rule 03: where the last applied record expired, reading goes on behind it: nothing unread is missing", () => {
  assert.deepEqual(startPlanOf(at(5), { low: 5, high: 9 }), { kind: "start", at: 5 });
  assert.deepEqual(startPlanOf(at(5), { low: 5, high: 5 }), { kind: "start", at: 5 });
});

test("rule 03: records that expired unread, and an offset above the log's end, stop the partition and say why", () => {
  const reasonOf = (next: number, low: number, high: number): string => {
    const plan = startPlanOf(at(next), { low, high });
    return plan.kind === "stop" ? plan.reason : plan.kind;
  };
  assert.match(reasonOf(5, 6, 9), /begins at 6.*below 5 was applied: records expired unread/);
  assert.match(reasonOf(5, 0, 4), /ends at 4, but 5 records were applied/);
  assert.match(reasonOf(5, 0, 0), /ends at 0, but 5 records were applied/);
  // Made again and longer expired: above the end comes first, whatever the beginning.
  assert.match(reasonOf(5, 4, 4), /ends at 4/);
});

test("rule 03: a record's hash tells key and value apart, and nothing from empty", () => {
  const bytes = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text));
  const pairs: [string | null, string | null][] = [
    ["ab", "c"],
    ["a", "bc"],
    ["", "abc"],
    [null, "abc"],
    ["abc", null],
    ["abc", ""],
    [null, null],
    ["", ""],
    ["1:a", ""],
  ];
  const hashes = pairs.map(([key, value]) => recordHash({ key: bytes(key), value: bytes(value) }));
  assert.equal(new Set(hashes).size, pairs.length);
  assert.equal(recordHash({ key: bytes("ab"), value: bytes("c") }), hashes[0]);
});
