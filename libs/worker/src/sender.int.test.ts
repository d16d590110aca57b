import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { repliesTopic, topicName } from "@deeplens/contracts";
import { connectKafka, createProducer, ensureTopics } from "@deeplens/messaging";
import { createLogger } from "@deeplens/telemetry";
import { stack } from "@deeplens/testing";
import { createSender } from "./sender.ts";

test("a record that its topic refuses is refused alone, and all that travelled with it is stored", async (t) => {
  const log = createLogger("tests", "silent");
  const installation = `wt-${randomBytes(4).toString("hex")}`;
  const topic = topicName(installation, repliesTopic);
  const kafka = connectKafka(stack().kafka, { clientId: installation, log });
  const admin = kafka.admin();
  await admin.connect();
  await ensureTopics(admin, installation, [repliesTopic], { shards: 2 });
  const sender = await createSender(
    async () => {
      const producer = createProducer(kafka);
      await producer.connect();
      return producer;
    },
    log,
    50,
  );
  t.after(async () => {
    await sender.close();
    await admin.deleteTopics({ topics: [topic] });
    await admin.disconnect();
  });

  const send = (value: string, partition: number) => sender.send(topic, { value, partition });
  const sent = ["0", "1", "2", "3", "4", "5", "6"];
  await send("0", 1);
  const results = await Promise.allSettled([
    send("1", 1),
    send("x".repeat(2_000_000), 0),
    send("2", 1),
    send("3", 0),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled", "fulfilled"],
  );
  await Promise.all([send("4", 1), send("5", 1), send("6", 0)]);

  const stored = new Set<string>();
  const consumer = kafka.consumer({ groupId: `${installation}.reader`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  t.after(() => consumer.disconnect());
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ message }) => void stored.add(String(message.value)),
  });
  for (let tries = 0; tries < 100 && stored.size < sent.length; tries++) await delay(50);
  assert.deepEqual([...stored].sort(), sent);
});
