/**
 * Seen to fail: on Kafka too (outbox.int.test.ts), without the limit of bytes; with the producer kept after an error;
 * rule 01 without the question before each try, with one before the first try only, and with what came meanwhile
 * dropped for what was asked about.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Producer, TopicMessages } from "@deeplens/messaging";
import { createLogger } from "@deeplens/telemetry";
import { createSender, type OutboxRow } from "./sender.ts";

const row = (id: number, over: Partial<OutboxRow> = {}): OutboxRow => ({
  id,
  shard: 0,
  topic: "commands",
  key: null,
  value: Buffer.from(String(id)),
  headers: {},
  ...over,
});

/** A sender whose broker answers as the test says: the ids of a request, in their order, and what was acknowledged. */
const scene = (
  broker: (ids: number[], producer: number) => Promise<void> | void,
  maySend: () => Promise<boolean> = async () => true,
) => {
  const requests: { ids: number[]; producer: number }[] = [];
  const acknowledged: number[] = [];
  let producers = 0;
  const changed = { now: Promise.withResolvers<void>() };
  const producer = (): Producer => {
    const number = ++producers;
    return {
      connect: async () => undefined,
      disconnect: async () => undefined,
      sendBatch: async ({ topicMessages = [] }: { topicMessages?: TopicMessages[] }) => {
        const ids = topicMessages.flatMap(({ messages }) =>
          messages.map(({ headers }) => Number(headers?.ce_id)),
        );
        requests.push({ ids, producer: number });
        await broker(ids, number);
        acknowledged.push(...ids);
      },
    } as unknown as Producer;
  };
  const sender = createSender({
    producer,
    source: "/tests",
    maySend,
    waitMs: 20,
    log: createLogger("tests", "silent"),
    onStage: (stage) => {
      if (stage !== "published") return;
      changed.now.resolve();
      changed.now = Promise.withResolvers();
    },
  });
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await changed.now.promise;
  };
  return { sender, requests, acknowledged, until };
};

test("rule 04: rows go out by their ids, one request at a time; only what was acknowledged is to be deleted", async () => {
  const gate = Promise.withResolvers<void>();
  const { sender, requests, acknowledged, until } = scene(([first]) =>
    first === 1 ? gate.promise : undefined,
  );
  sender.add([row(1), row(2)]);
  await new Promise(setImmediate);
  sender.add([row(3)]);
  await new Promise(setImmediate);
  assert.deepEqual(
    requests.map(({ ids }) => ids),
    [[1, 2]],
  );
  assert.deepEqual(sender.takePublished(), []);
  gate.resolve();
  await until(() => acknowledged.length === 3);
  assert.deepEqual(
    requests.map(({ ids }) => ids),
    [[1, 2], [3]],
  );
  assert.deepEqual(sender.takePublished(), [1, 2, 3]);
  assert.deepEqual(sender.takePublished(), []);
  sender.returnPublished([1, 2, 3]);
  assert.deepEqual(sender.takePublished(), [1, 2, 3]);
});

test("rule 04: after an error another producer begins at the first row that was not acknowledged", async () => {
  let failures = 1;
  const { sender, requests, acknowledged, until } = scene(() => {
    if (failures-- > 0) throw new Error("the broker is away");
  });
  sender.add([row(1), row(2)]);
  await until(() => acknowledged.length === 2);
  assert.deepEqual(requests, [
    { ids: [1, 2], producer: 1 },
    { ids: [1, 2], producer: 2 },
  ]);
});

test("rule 04: what stands before a refused row goes out; the reason names that row, and is gone when it is taken", async () => {
  let refuse = true;
  const { sender, acknowledged, until } = scene((ids) => {
    if (refuse && ids.includes(30)) throw new Error("too large");
  });
  sender.add(Array.from({ length: 60 }, (_, n) => row(n + 1)));
  await until(() => acknowledged.length === 29);
  assert.deepEqual(
    acknowledged,
    Array.from({ length: 29 }, (_, n) => n + 1),
  );
  assert.equal(sender.blocked(), undefined);
  while (sender.blocked() === undefined) await new Promise(setImmediate);
  assert.match(sender.blocked() ?? "", /not published from row 30 on: too large/);
  refuse = false;
  await until(() => acknowledged.length === 60);
  assert.deepEqual(
    acknowledged,
    Array.from({ length: 60 }, (_, n) => n + 1),
  );
  assert.equal(sender.blocked(), undefined);
});

test("a request stays below a topic's largest batch, and a single row goes whatever its size", async () => {
  const { sender, requests, acknowledged, until } = scene(() => undefined);
  const large = { value: Buffer.alloc(200_000) };
  sender.add([
    row(1, large),
    row(2, large),
    row(3, large),
    row(4, { value: Buffer.alloc(1_000_000) }),
    row(5),
  ]);
  await until(() => acknowledged.length === 5);
  assert.deepEqual(
    requests.map(({ ids }) => ids),
    [[1, 2], [3], [4], [5]],
  );
});

test("rule 04: what the table holds replaces what waits, without what was acknowledged meanwhile", async () => {
  const gate = Promise.withResolvers<void>();
  const { sender, requests, acknowledged, until } = scene(([first]) =>
    first === 3 ? gate.promise : undefined,
  );
  sender.add([row(1), row(2)]);
  await until(() => acknowledged.length === 2);
  sender.add([row(3)]);
  await new Promise(setImmediate);
  // Under way: 3. Acknowledged and not deleted: 1, 2. Of a commit whose outcome was not known: 4.
  sender.replace([row(1), row(2), row(3), row(4)]);
  gate.resolve();
  await until(() => acknowledged.length === 4);
  assert.deepEqual(
    requests.map(({ ids }) => ids),
    [[1, 2], [3], [4]],
  );
});

test("what waits is dropped when its shard is another's, and a dead letter keeps the id that it came with", async () => {
  const gate = Promise.withResolvers<void>();
  const { sender, requests, acknowledged, until } = scene(([first]) =>
    first === 1 ? gate.promise : undefined,
  );
  sender.add([row(1)]);
  await new Promise(setImmediate);
  sender.add([row(2)]);
  sender.replace([]);
  gate.resolve();
  await until(() => acknowledged.length === 1);
  sender.add([row(3, { headers: { ce_id: "77" } })]);
  await until(() => acknowledged.length === 2);
  assert.deepEqual(
    requests.map(({ ids }) => ids),
    [[1], [77]],
  );
});

test("rule 01: whoever lost its shards publishes nothing: what waits is dropped, also between two tries", async () => {
  let ours = true;
  const { sender, requests } = scene(
    () => {
      ours = false;
      throw new Error("the broker is away");
    },
    async () => ours,
  );
  sender.add([row(1), row(2)]);
  while (requests.length === 0) await delay(1);
  await delay(100);
  assert.equal(requests.length, 1);
  sender.add([row(3)]);
  await delay(20);
  assert.equal(requests.length, 1);
  assert.equal(sender.blocked(), undefined);
});

test("rule 01: what came in place of what was lost is asked about by itself, and not dropped with it", async () => {
  const first = Promise.withResolvers<boolean>();
  const answers = [first.promise, Promise.resolve(true)];
  const { sender, acknowledged, until } = scene(
    () => undefined,
    () => answers.shift() ?? Promise.resolve(true),
  );
  sender.add([row(1)]);
  // Taken over anew while the question is under way: the table is read again.
  sender.replace([row(1), row(2)]);
  first.resolve(false);
  await until(() => acknowledged.length === 2);
  assert.deepEqual(acknowledged, [1, 2]);
});

test("a question that gets no answer is asked again, and nothing goes out meanwhile", async () => {
  let asked = 0;
  const { sender, requests, until } = scene(
    () => undefined,
    async () => {
      asked += 1;
      if (asked < 3) throw new Error("the database is away");
      return true;
    },
  );
  sender.add([row(1)]);
  await until(() => requests.length === 1);
  assert.equal(asked, 3);
});
