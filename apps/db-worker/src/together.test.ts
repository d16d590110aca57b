import assert from "node:assert/strict";
import { it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { PermanentStepError } from "@deeplens/worker";
import { together } from "./together.ts";

it("gives the results in the order of the works", async () => {
  assert.deepEqual(await together([async () => delay(2, "slow"), async () => "fast"]), ["slow", "fast"]);
});

it("waits for the others when one fails, so that nothing goes on behind a failed step", async () => {
  let finished = false;
  const slow = async (): Promise<void> => {
    await delay(5);
    finished = true;
  };
  await assert.rejects(together([() => Promise.reject(new Error("broken")), slow]), /broken/);
  assert.equal(finished, true);
});

it("a permanent failure is told before one that a retry could mend", async () => {
  const permanent = new PermanentStepError("name-taken", "taken");
  const works = [() => Promise.reject(new Error("broken")), () => Promise.reject(permanent)];
  await assert.rejects(together(works), permanent);
});
