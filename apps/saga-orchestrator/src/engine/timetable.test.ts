import assert from "node:assert/strict";
import { test } from "node:test";
import type { Saga } from "../saga/saga.ts";
import { createTimetable } from "./timetable.ts";

const row = (sagaId: string, dueMs: number, shard = 0) => ({ sagaId, shard, dueMs });
const committed = (sagaId: string, ...dueMs: number[]): Saga =>
  ({
    sagaId,
    shard: 0,
    timers: Object.fromEntries(dueMs.map((due, index) => [`step ${index}`, { dueMs: due }])),
  }) as unknown as Saga;

const ids = (timetable: ReturnType<typeof createTimetable>, nowMs: number, shards = [0]) =>
  timetable.due(shards, nowMs, 10).map(({ sagaId }) => sagaId);

test("sagas are due from their earliest timer on, the longest due first, and stay so until they change", () => {
  const timetable = createTimetable();
  timetable.replace([row("late", 30), row("early", 10)]);
  assert.deepEqual(ids(timetable, 9), []);
  assert.deepEqual(ids(timetable, 10), ["early"]);
  assert.deepEqual(ids(timetable, 40), ["early", "late"]);
  assert.deepEqual(ids(timetable, 40), ["early", "late"]);
  timetable.note([committed("early", 90, 50), committed("late")]);
  assert.deepEqual(ids(timetable, 49), []);
  assert.deepEqual(ids(timetable, 50), ["early"]);
});

test("a timer that comes before all others is seen", () => {
  const timetable = createTimetable();
  timetable.replace([row("one", 100)]);
  assert.deepEqual(ids(timetable, 60), []);
  timetable.note([committed("two", 50)]);
  assert.deepEqual(ids(timetable, 60), ["two"]);
});

test("shards that may not judge are left alone, and due again when they may", () => {
  const timetable = createTimetable();
  timetable.replace([row("here", 10, 0), row("there", 10, 1)]);
  assert.deepEqual(ids(timetable, 10, [0]), ["here"]);
  assert.deepEqual(ids(timetable, 10, [0, 1]), ["here", "there"]);
});

test("what the table says replaces all that was known; what is gone is forgotten", () => {
  const timetable = createTimetable();
  timetable.note([committed("old", 1), committed("gone", 1)]);
  timetable.forget("gone");
  assert.deepEqual(ids(timetable, 1), ["old"]);
  timetable.replace([row("new", 2)]);
  assert.deepEqual(ids(timetable, 5), ["new"]);
});
