import assert from "node:assert/strict";
import { test } from "node:test";
import { pause } from "./pause.ts";

test("a pause ends when its time is over, or at once when its signal is aborted, before or meanwhile", async () => {
  await pause(1, new AbortController().signal);
  const hour = 3_600_000;
  await pause(hour, AbortSignal.abort());
  const ending = new AbortController();
  const waiting = pause(hour, ending.signal);
  ending.abort(new Error("the process stops"));
  assert.equal(await waiting, undefined);
});
