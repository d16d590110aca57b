import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { mock, test } from "node:test";
import { createLogger } from "@deeplens/telemetry";
import type { GroupConsumer } from "./connect.ts";
import type { GroupMember } from "./leave-group.ts";
import { runConsumer } from "./run-consumer.ts";

const log = createLogger("test", "silent");

/** A consumer as far as this piece sees it; `failures` runs fail. */
const fakeConsumer = (failures: number) => {
  const events = new EventEmitter();
  const calls: string[] = [];
  let failing = failures;
  const consumer = {
    events: { CRASH: "crash", GROUP_JOIN: "join", HEARTBEAT: "heartbeat" },
    on: (name: string, listener: (event: unknown) => void) => events.on(name, listener),
    connect: async () => void calls.push("connect"),
    disconnect: async () => void calls.push("disconnect"),
    run: async () => {
      calls.push("run");
      if (calls.length > 1 && failing-- > 0) throw new Error("no coordinator");
    },
  } as unknown as GroupConsumer;
  const crash = (restart: boolean) =>
    events.emit("crash", { payload: { restart, error: new Error("over") } });
  const join = (memberId: string) => events.emit("join", { payload: { groupId: "group", memberId } });
  return { consumer, calls, crash, join };
};

/** Kafka beside the consumer: it answers after `away` questions. */
const askWith = (away = 0) => {
  const left: string[] = [];
  let silent = away;
  const leave = async ({ memberId }: GroupMember): Promise<void> => {
    if (silent-- > 0) throw new Error("ECONNREFUSED");
    left.push(memberId);
  };
  return { left, ask: { leave, answers: async () => undefined } };
};

const tick = async (ms: number): Promise<void> => {
  mock.timers.tick(ms);
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
};

test("a consumer that the client takes for over is connected and run again, until it runs", async (t) => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  t.after(() => mock.timers.reset());
  const { consumer, calls, crash } = fakeConsumer(1);
  await runConsumer(consumer, {}, { log, ask: askWith().ask });
  crash(false);
  await tick(1_000);
  assert.deepEqual(calls, ["run", "connect", "run", "disconnect"]);
  await tick(2_000);
  assert.deepEqual(calls.slice(4), ["connect", "run"]);
  await tick(60_000);
  assert.equal(calls.length, 6);
});

test("where the client begins again by itself, or after a stop, nothing is run", async (t) => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  t.after(() => mock.timers.reset());
  const { consumer, calls, crash } = fakeConsumer(0);
  const running = await runConsumer(consumer, {}, { log, ask: askWith().ask });
  crash(true);
  await tick(60_000);
  crash(false);
  running.stop();
  await tick(60_000);
  crash(false);
  await tick(60_000);
  assert.deepEqual(calls, ["run"]);
});

// Seen to fail with the call of takeOut taken out. Without it the group waits for a whole session of the former member:
// 30 s for an orchestrator's after each restart of Kafka.
test("a member that the outage made an orphan is taken out of its group as soon as Kafka answers, once", async (t) => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  t.after(() => mock.timers.reset());
  const { consumer, crash, join } = fakeConsumer(0);
  const { left, ask } = askWith(2);
  await runConsumer(consumer, {}, { log, ask });
  join("first");
  crash(true);
  crash(true);
  await tick(0);
  assert.deepEqual(left, []);
  await tick(1_000);
  await tick(1_000);
  assert.deepEqual(left, ["first"]);
  await tick(60_000);
  join("second");
  assert.deepEqual(left, ["first"]);
});
