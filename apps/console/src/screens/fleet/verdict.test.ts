import assert from "node:assert/strict";
import { test } from "node:test";
import { findingsOf, type Overview } from "./verdict.ts";

const well = {
  at: "2026-01-01T00:00:00Z",
  groups: [],
  debts: 0,
  degraded: 0,
  workers: [{ step: "storage", alive: 1, lag: 0, versions: ["1"] }],
  deadLetters: [],
  backups: { overdue: 0, tenants: [] },
  stoppedPartitions: 0,
} as unknown as Overview;

test("a fleet that is well has no finding, also where Kafka does not say", () => {
  assert.deepEqual(findingsOf(well), []);
  assert.deepEqual(findingsOf({ ...well, deadLetters: null }), []);
});

test("what is wrong is told, the gravest first", () => {
  const groups = [{ step: "storage", code: "x", count: 5 }] as unknown as Overview["groups"];
  const texts = findingsOf({
    ...well,
    groups,
    debts: 1,
    workers: [{ step: "storage", alive: 0, lag: 3, versions: [] }],
    deadLetters: [{ topic: "a", count: 2 }],
  }).map(({ text }) => text);
  assert.deepEqual(texts, [
    "no storage worker is alive",
    "5 sagas failed for 1 cause",
    "1 undo is owed",
    "2 dead letters",
  ]);
});
