import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger } from "@deeplens/telemetry";
import { waitFor } from "./wait.ts";

const log = createLogger("test", "silent");

test("it tries again after half a second until the service is there, says so, and gives what it gave", async () => {
  const lines: string[] = [];
  const told = createLogger("test", "warn", { write: (line) => lines.push(line) });
  const started = performance.now();
  let tries = 0;
  const attempt = async (): Promise<string> => {
    tries++;
    if (tries === 1) throw new Error("refused");
    return "there";
  };
  assert.equal(await waitFor("Kafka", attempt, { log: told, signal: new AbortController().signal }), "there");
  assert.ok(performance.now() - started >= 490);
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? "", /"reason":"refused","waitMs":500,"msg":"waiting for Kafka"/);
});

test("what no waiting can mend is thrown at once", async () => {
  let tries = 0;
  const attempt = async (): Promise<never> => {
    tries++;
    throw new Error("wrong password");
  };
  const options = { log, signal: new AbortController().signal, canRetry: () => false };
  await assert.rejects(waitFor("Postgres", attempt, options), /wrong password/);
  assert.equal(tries, 1);
});

test("a stop ends the waiting", async () => {
  const stop = new AbortController();
  const attempt = async (): Promise<never> => {
    throw new Error("refused");
  };
  const waited = waitFor("Redis", attempt, { log, signal: stop.signal });
  stop.abort();
  await assert.rejects(waited, { name: "AbortError" });
});
