import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { repliesTopic, topicName } from "@deeplens/contracts";
import { connectKafka, createProducer, ensureTopics } from "@deeplens/messaging";
import { createLogger } from "@deeplens/telemetry";
import { stack } from "@deeplens/testing";
import { createSender } from "./sender.ts";

// Seen to fail with the producer kept: its next batch is taken for a duplicate, acknowledged and not stored.
test("a record that its topic refuses is refused alone, and what travelled with it is stored once", async (t) => {
  const log = createLogger("tests", "silent");
  const installation = `wt-${randomBytes(4).toString("hex")}`;
  const topic = topicName(installation, repliesTopic);
  const kafka = connectKafka(stack().kafka, { clientId: installation, log });
  const admin = kafka.admin();
  await admin.connect();
  await ensureTopics(admin, installation, [repliesTopic], { shards: 1 });
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

  const send = (value: string) => sender.send(topic, { value, partition: 0 });
  await send("0");
  const results = await Promise.allSettled([
    send("1"),
    send("2"),
    send("x".repeat(2_000_000)),
    send("3"),
    send("4"),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "fulfilled", "rejected", "fulfilled", "fulfilled"],
  );
  await Promise.all([send("5"), send("6")]);
  const [{ high } = { high: "" }] = await admin.fetchTopicOffsets(topic);
  assert.equal(high, "7");
});
