import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { CallTimeoutError, createCalls } from "./calls.ts";
import { FencedError } from "./step.ts";

const later = (): Date => new Date(Date.now() + 60_000);
const never = new AbortController().signal;

test("a call gives what its effect gives, named and timed", async () => {
  const calls = createCalls({ signal: never, deadline: later() });
  assert.equal(await calls.call("look", async () => 7), 7);
  await assert.rejects(
    calls.call("fail", async () => Promise.reject(new Error("no"))),
    /no/,
  );
  assert.deepEqual(
    calls.timings.map(({ name }) => name),
    ["look", "fail"],
  );
});

// Seen to fail with mayStart taken out.
test("rule 13: no effect starts after the command's deadline, nor after an abort", async () => {
  let started = 0;
  const effect = async () => {
    started += 1;
  };
  const late = createCalls({ signal: never, deadline: new Date(Date.now() - 1) });
  await assert.rejects(late.call("create", effect), FencedError);
  const aborted = createCalls({ signal: AbortSignal.abort(new Error("newer")), deadline: later() });
  await assert.rejects(aborted.call("create", effect), /create was not started: newer/);
  assert.equal(started, 0);
});

// Seen to fail without the timer.
test("rule 13: every call has a timeout, and its effect is told", async () => {
  const calls = createCalls({ signal: never, deadline: later() });
  let told: unknown;
  const hanging = calls.call(
    "hang",
    async (signal) => {
      await delay(500, undefined, { signal }).catch(() => undefined);
      told = signal.reason;
    },
    { timeoutMs: 10 },
  );
  await assert.rejects(hanging, CallTimeoutError);
  await calls.settled();
  assert.ok(told instanceof CallTimeoutError);
});

test("rule 13: what was given up is waited for until it has settled", async () => {
  const abort = new AbortController();
  const calls = createCalls({ signal: abort.signal, deadline: later() });
  let landed = false;
  const deaf = calls.call("write", async () => {
    await delay(40);
    landed = true;
  });
  abort.abort(new Error("newer"));
  await assert.rejects(deaf, /newer/);
  assert.equal(landed, false);
  await calls.settled();
  assert.equal(landed, true);
});
