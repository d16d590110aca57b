import assert from "node:assert/strict";
import { test } from "node:test";
import type { Producer } from "@deeplens/messaging";
import { createLogger } from "@deeplens/telemetry";
import { createSender } from "./sender.ts";

const log = createLogger("tests", "silent");
type Batch = Parameters<Producer["sendBatch"]>[0];

const producerOf = (sendBatch: (batch: Batch) => Promise<void>): Producer =>
  ({
    sendBatch: async (batch: Batch) => {
      await sendBatch(batch);
      return [];
    },
    disconnect: async () => undefined,
  }) as unknown as Producer;

const valuesOf = ({ topicMessages = [] }: Batch): string[] =>
  topicMessages.flatMap(({ messages }) => messages.map(({ value }) => String(value)));

test("what is sent in one turn travels in one request, acknowledged by all replicas", async () => {
  const batches: Batch[] = [];
  const sender = await createSender(async () => producerOf(async (batch) => void batches.push(batch)), log);
  await Promise.all([1, 2, 3].map((n) => sender.send("replies", { value: `${n}` })));
  assert.deepEqual(batches.map(valuesOf), [["1", "2", "3"]]);
  assert.equal(batches[0]?.acks, -1);
});

// Seen to fail with the producer kept after an error.
test("after an error the producer is replaced and the same records go again, in their order", async () => {
  const attempts: string[][] = [];
  let producers = 0;
  const sender = await createSender(
    async () => {
      producers += 1;
      const number = producers;
      return producerOf(async (batch) => {
        attempts.push([`producer ${number}`, ...valuesOf(batch)]);
        if (number === 1) throw new Error("the broker is gone");
      });
    },
    log,
    1,
  );
  const first = sender.send("replies", { value: "1" });
  await Promise.all([first, sender.send("replies", { value: "2" })]);
  assert.deepEqual(attempts, [
    ["producer 1", "1", "2"],
    ["producer 2", "1", "2"],
  ]);
});

test("flush waits for what is on its way", async () => {
  let arrived = false;
  const sender = await createSender(
    async () =>
      producerOf(async () => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        arrived = true;
      }),
    log,
  );
  void sender.send("replies", { value: "1" });
  await sender.flush();
  assert.equal(arrived, true);
});
