import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { mock, test } from "node:test";
import { createLogger } from "@deeplens/telemetry";
import type { Consumer } from "kafkajs";
import { runConsumer } from "./run-consumer.ts";

const log = createLogger("test", "silent");

/** A consumer as far as this piece sees it; `failures` runs fail. */
const fakeConsumer = (failures: number) => {
  const events = new EventEmitter();
  const calls: string[] = [];
  let failing = failures;
  const consumer = {
    events: { CRASH: "crash" },
    on: (name: string, listener: (event: unknown) => void) => events.on(name, listener),
    connect: async () => void calls.push("connect"),
    disconnect: async () => void calls.push("disconnect"),
    run: async () => {
      calls.push("run");
      if (calls.length > 1 && failing-- > 0) throw new Error("no coordinator");
    },
  } as unknown as Consumer;
  const crash = (restart: boolean) =>
    events.emit("crash", { payload: { restart, error: new Error("over") } });
  return { consumer, calls, crash };
};

const tick = async (ms: number): Promise<void> => {
  mock.timers.tick(ms);
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
};

test("a consumer that the client takes for over is connected and run again, until it runs", async (t) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  t.after(() => mock.timers.reset());
  const { consumer, calls, crash } = fakeConsumer(1);
  await runConsumer(consumer, {}, log);
  crash(false);
  await tick(1_000);
  assert.deepEqual(calls, ["run", "connect", "run", "disconnect"]);
  await tick(2_000);
  assert.deepEqual(calls.slice(4), ["connect", "run"]);
  await tick(60_000);
  assert.equal(calls.length, 6);
});

test("where the client begins again by itself, or after a stop, nothing is run", async (t) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  t.after(() => mock.timers.reset());
  const { consumer, calls, crash } = fakeConsumer(0);
  const running = await runConsumer(consumer, {}, log);
  crash(true);
  await tick(60_000);
  crash(false);
  running.stop();
  await tick(60_000);
  crash(false);
  await tick(60_000);
  assert.deepEqual(calls, ["run"]);
});
