import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import type { SagaStep } from "@deeplens/client";
import { showProgress } from "./progress.ts";
import { sagaOf, stepOf } from "./testing/fake-api.ts";
import type { TextStream } from "./world.ts";

const collect = (more: Partial<TextStream> = {}): TextStream & { parts: string[] } => {
  const parts: string[] = [];
  return { ...more, parts, write: (text) => parts.push(text) };
};
const startMs = Date.parse(sagaOf().createdAt);
const working = sagaOf({
  status: "running",
  finishedAt: null,
  steps: [
    stepOf("database", { phase: "working", durationMs: null, progress: "making the roles" }),
    stepOf("storage", { phase: "waiting", commandedAt: null }),
  ],
});

test("without a terminal a step that changed gets one line, and one that did not gets none", () => {
  const stream = collect();
  const progress = showProgress(stream, () => startMs + 1_500);
  progress.update(working);
  progress.update(working);
  progress.update(sagaOf());
  progress.end();
  assert.deepEqual(stream.parts, [
    "[  1.5 s] database working making the roles\n",
    "[  1.5 s] database done (1.9 s)\n",
    "[  1.5 s] storage  done (1.9 s)\n",
  ]);
});

test("a saga that ended long ago is shown with the time of its end", () => {
  const stream = collect();
  showProgress(stream, () => startMs + 3_600_000).update(sagaOf());
  assert.match(stream.parts[0] ?? "", /^\[ {2}4\.0 s\] database done/);
});

test("on a terminal the same lines are drawn again in place, and none is wider than it", () => {
  const stream = collect({ isTTY: true, columns: 40 });
  const progress = showProgress(stream, () => startMs + 1_500);
  const long = "a very long text that would not fit into one line of this terminal";
  progress.update(sagaOf({ ...working, steps: [stepOf("database", { phase: "working", progress: long })] }));
  progress.update(sagaOf());
  progress.end();
  const [first = "", second = "", last = ""] = stream.parts;
  const visible = (text: string) => stripVTControlCharacters(text).split("\n");
  assert.ok(visible(first).every((line) => line.length <= 40));
  assert.deepEqual(visible(first).length, 3);
  // Two lines were drawn (the saga's and one step's): the cursor goes up over both.
  assert.ok(second.startsWith("\x1b[2A"));
  assert.ok(last.startsWith("\x1b[3A"));
  assert.match(visible(last).join("\n"), /acme: ready \(4\.0 s\)\n {2}. database {2}done/);
});

// Seen to fail: without the error, without the count, and with the countdown among what makes a line new.
test("a step that waits for its next try says why, which try that is and when, once; then what it is at", () => {
  const stream = collect();
  const progress = showProgress(stream, () => startMs + 1_500);
  const storage = (change: Partial<SagaStep>) =>
    sagaOf({
      ...working,
      steps: [stepOf("storage", { error: { code: "unexpected", message: "no answer" }, ...change })],
    });
  const waiting = storage({
    phase: "retrying",
    attempts: 1,
    nextTryAt: new Date(startMs + 3_500).toISOString(),
  });
  progress.update(waiting);
  progress.update(waiting);
  progress.update(storage({ phase: "working", attempts: 2, progress: "started" }));
  progress.update(storage({ phase: "working", attempts: 2, startedAt: null }));
  progress.end();
  assert.deepEqual(stream.parts, [
    "[  1.5 s] storage  will retry (try 2 of 5 in 2.0 s) no answer (unexpected)\n",
    "[  1.5 s] storage  working (try 2 of 5) started; before: no answer (unexpected)\n",
    "[  1.5 s] storage  working (try 2 of 5) its worker has not begun; before: no answer (unexpected)\n",
  ]);
});
