import assert from "node:assert/strict";
import { test } from "node:test";
import type { JobResult } from "@deeplens/backup";
import { createLogger } from "@deeplens/telemetry";
import { createJobs } from "./jobs.ts";

const someJobs = () => createJobs({ log: createLogger("test", "silent"), now: () => new Date() });
const compared = { tables: 0, rows: 0, collections: 0, points: 0 };
const result: JobResult = { kind: "restored", compared };
const held = () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { work: () => promise.then(() => result), letGo: resolve };
};

test("the same id joins the job that runs, and is answered when it is done; another id waits for its turn", async () => {
  const jobs = someJobs();
  const [first, second] = [held(), held()];
  let secondBegan = false;
  assert.equal(jobs.start("a", first.work).state, "running");
  jobs.start("a", () => assert.fail("it was done twice"));
  jobs.start("b", () => {
    secondBegan = true;
    return second.work();
  });
  assert.deepEqual(jobs.open(), ["a", "b"]);
  assert.equal(secondBegan, false);
  first.letGo();
  assert.equal((await jobs.see("a", 5_000))?.state, "done");
  assert.equal(jobs.start("a", () => assert.fail("it was done twice")).state, "done");
  second.letGo();
  await jobs.settled();
  assert.deepEqual(jobs.open(), []);
  assert.equal((await jobs.see("b", 0))?.state, "done");
});

test("a wait ends when its time is up, and says that the job still runs", async () => {
  const jobs = someJobs();
  const { work, letGo } = held();
  jobs.start("a", work);
  assert.equal((await jobs.see("a", 20))?.state, "running");
  letGo();
  assert.equal((await jobs.see("a", 5_000))?.state, "done");
});

test("a job that failed says why, is done again when it is asked for again, and keeps none from running", async () => {
  const jobs = someJobs();
  jobs.start("a", async () => Promise.reject(new Error("no space left on device")));
  const failed = await jobs.see("a", 5_000);
  assert.ok(failed?.state === "failed" && failed.error === "no space left on device");
  jobs.start("a", async () => result);
  assert.equal((await jobs.see("a", 5_000))?.state, "done");
});

test("what ended is forgotten after a while, what runs never", async () => {
  const jobs = someJobs();
  const { work, letGo } = held();
  for (let number = 0; number < 60; number++) jobs.start(`old-${number}`, async () => result);
  jobs.start("held", work);
  await jobs.see("old-59", 5_000);
  for (let number = 0; number < 60; number++) jobs.start(`new-${number}`, async () => result);
  assert.equal(await jobs.see("old-0", 0), undefined);
  assert.equal((await jobs.see("held", 0))?.state, "running");
  letGo();
  await jobs.settled();
});

test("an id that no job has is unknown", async () => {
  assert.equal(await someJobs().see("a", 0), undefined);
});
