import assert from "node:assert/strict";
import { test } from "node:test";
import { checkSchedule, startSchedule } from "./schedule.ts";

const nightly = { schedule: "0 2 * * *", timeZone: "UTC" };

test("the next backup is at two at night, in the configured time zone", (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: new Date("2026-11-24T12:00:00Z") });
  const utc = startSchedule(nightly, () => {});
  const tokyo = startSchedule({ ...nightly, timeZone: "Asia/Tokyo" }, () => {});
  t.after(() => {
    utc.stop();
    tokyo.stop();
  });
  assert.equal(utc.nextAt().toISOString(), "2026-11-25T02:00:00.000Z");
  assert.equal(tokyo.nextAt().toISOString(), "2026-11-24T17:00:00.000Z");
});

test("it runs when its time has come, once a night", (t) => {
  t.mock.timers.enable({ apis: ["Date", "setTimeout"], now: new Date("2026-11-24T12:00:00Z") });
  let runs = 0;
  const schedule = startSchedule(nightly, () => {
    runs += 1;
  });
  t.after(() => schedule.stop());
  const minuteMs = 60_000;
  const pass = (minutes: number): void => {
    for (let passed = 0; passed < minutes; passed++) t.mock.timers.tick(minuteMs);
  };
  pass(14 * 60 - 1);
  assert.equal(runs, 0);
  pass(2);
  assert.equal(runs, 1);
  pass(24 * 60);
  assert.equal(runs, 2);
});

test("a backup that fell into the agent's absence is known to be missed, once it was due", (t) => {
  const schedule = startSchedule(nightly, () => {});
  t.after(() => schedule.stop());
  const since = new Date("2026-11-23T02:00:03Z");
  assert.equal(schedule.missedSince(since, new Date("2026-11-24T01:59:59Z")), false);
  assert.equal(schedule.missedSince(since, new Date("2026-11-24T02:00:00Z")), true);
});

test("a schedule that can't be read, or a time zone that there is not, is refused", () => {
  checkSchedule(nightly);
  assert.throws(() => checkSchedule({ ...nightly, schedule: "every night" }));
  assert.throws(() => checkSchedule({ ...nightly, schedule: "0 0 2 * * *" }));
  assert.throws(() => checkSchedule({ ...nightly, schedule: "0 2 30 2 *" }));
  assert.throws(() => checkSchedule({ ...nightly, timeZone: "Mars/Olympus" }));
});
