import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { checkSchedule, isDue, nextAfter, type Timetable } from "./schedule.ts";

const nightly: Timetable = { schedule: "0 2 * * *", timeZone: "UTC", spreadMs: 0, tenantId: randomUUID() };
const noon = new Date("2026-11-24T12:00:00Z");

test("the next backup is at two at night, in the configured time zone", () => {
  assert.equal(nextAfter(nightly, noon).toISOString(), "2026-11-25T02:00:00.000Z");
  const tokyo = { ...nightly, timeZone: "Asia/Tokyo" };
  assert.equal(nextAfter(tokyo, noon).toISOString(), "2026-11-24T17:00:00.000Z");
});

test("it is due from its moment on until one was begun after that, whether the agent ran then or not", () => {
  const startedAt = new Date("2026-11-23T02:00:03Z");
  const dueAt = (now: string): boolean => isDue(nightly, { startedAt }, new Date(now));
  assert.equal(dueAt("2026-11-24T01:59:59Z"), false);
  assert.equal(dueAt("2026-11-24T02:00:00Z"), true);
  assert.equal(dueAt("2026-11-30T17:00:00Z"), true);
  assert.equal(isDue(nightly, { startedAt: noon }, new Date("2026-11-24T23:00:00Z")), false);
});

test("one that failed is tried again after a quarter of an hour", () => {
  const last = { startedAt: new Date("2026-11-23T02:00:03Z"), failedAt: new Date("2026-11-24T02:01:00Z") };
  assert.equal(isDue(nightly, last, new Date("2026-11-24T02:15:59Z")), false);
  assert.equal(isDue(nightly, last, new Date("2026-11-24T02:16:00Z")), true);
});

test("a thousand tenants are spread over the hour, each at the same minute every night", () => {
  const spreadMs = 3_600_000;
  const minutes = Array.from({ length: 1_000 }, () => {
    const timetable = { ...nightly, spreadMs, tenantId: randomUUID() };
    const [one, other] = [nextAfter(timetable, noon), nextAfter(timetable, new Date("2026-11-25T12:00:00Z"))];
    assert.equal(other.getTime() - one.getTime(), 24 * 3_600_000);
    const offMs = one.getTime() - Date.parse("2026-11-25T02:00:00Z");
    assert.ok(offMs >= 0 && offMs < spreadMs);
    return Math.floor(offMs / 60_000);
  });
  const busiest = Math.max(
    ...[...Map.groupBy(minutes, (minute) => minute).values()].map(({ length }) => length),
  );
  assert.ok(busiest < 60, `${busiest} of 1,000 in one minute`);
});

test("one that is put off beyond midnight is due once", () => {
  const late = { ...nightly, schedule: "50 23 * * *", spreadMs: 0 };
  const spread = { ...late, spreadMs: 3_600_000 };
  const next = nextAfter(spread, noon);
  assert.ok(next >= nextAfter(late, noon));
  assert.equal(isDue(spread, { startedAt: next }, new Date(next.getTime() + 3_600_000)), false);
});

test("a schedule that can't be read, or a time zone that there is not, is refused", () => {
  checkSchedule(nightly);
  assert.throws(() => checkSchedule({ ...nightly, schedule: "every night" }));
  assert.throws(() => checkSchedule({ ...nightly, schedule: "0 0 2 * * *" }));
  assert.throws(() => checkSchedule({ ...nightly, schedule: "0 2 30 2 *" }));
  assert.throws(() => checkSchedule({ ...nightly, timeZone: "Mars/Olympus" }));
});
