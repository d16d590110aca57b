import assert from "node:assert/strict";
import { test } from "node:test";
import { CallTimeoutError } from "./calls.ts";
import { failureOf } from "./failures.ts";
import { NotAskedYetError, PermanentStepError } from "./step.ts";

test("a permanent error keeps its code and its pivot", () => {
  assert.deepEqual(failureOf(new PermanentStepError("refused-by-api", "no", { pivot: "refused" })), {
    ...{ permanent: true, code: "refused-by-api", message: "no", pivot: "refused" },
  });
});

test("any other error is worth a retry, with the code that its service gave", () => {
  const codes = [
    [new Error("x"), "step-error"],
    [Object.assign(new Error("x"), { code: "ECONNREFUSED" }), "ECONNREFUSED"],
    [Object.assign(new Error("x"), { statusCode: 503 }), "http-503"],
    [new Error("x", { cause: { code: "53300" } }), "53300"],
    [Object.assign(new Error("x"), { code: "a sentence, not a code" }), "step-error"],
    [new CallTimeoutError("look", 5), "timeout"],
    ["only text", "step-error"],
  ] as const;
  for (const [error, code] of codes) {
    const failure = failureOf(error);
    assert.equal(failure.code, code);
    assert.equal(failure.permanent, false);
  }
});

test("an error before a pivot asked for anything says so, and is worth a retry", () => {
  const error = new NotAskedYetError("away", {
    cause: Object.assign(new Error("x"), { code: "ECONNREFUSED" }),
  });
  const expected = { permanent: false, code: "ECONNREFUSED", message: "away", pivot: "not-asked" };
  assert.deepEqual(failureOf(error), expected);
});

test("a message is cut at 4 KiB, at a whole character", () => {
  const { message } = failureOf(new Error("ä".repeat(4_000)));
  assert.ok(Buffer.byteLength(message) <= 4_096);
  assert.match(message, /^ä+…$/);
});

test("no secret that the handler saw stands in the message, nor half of one at the cut", () => {
  const secret = "hush".repeat(10);
  const { message } = failureOf(new Error(`${"x".repeat(4_080)}${secret}, ${secret}`), new Set([secret]));
  assert.ok(!message.includes("hush"));
});

test("an AggregateError without a text says what is in it", () => {
  const error = new AggregateError([new Error("connect ECONNREFUSED ::1"), new Error("and 127.0.0.1")]);
  assert.equal(failureOf(error).message, "connect ECONNREFUSED ::1; and 127.0.0.1");
});
