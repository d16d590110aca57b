/**
 * The log on real Kafka, in a topic of the test's own: what is written is read by whoever comes next, and the topic is one
 * that a real registry accepts (KafkaStore.java in confluentinc/schema-registry refuses a policy other than `compact` and
 * wants one partition).
 */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import test from "node:test";
import { stack } from "@deeplens/testing";
import kafkajs, { type Kafka } from "kafkajs";
import { createKafkaLog } from "./kafka-log.ts";
import { createRegistry } from "./registry.ts";

const withTopic = async (body: (kafka: Kafka, topic: string) => Promise<void>): Promise<void> => {
  const { brokers, username, password } = stack().kafka;
  const sasl = { mechanism: "scram-sha-512", username, password } as const;
  const kafka = new kafkajs.Kafka({ brokers: [...brokers], sasl, logLevel: kafkajs.logLevel.NOTHING });
  const topic = `test-schemas-${randomUUID()}`;
  const admin = kafka.admin();
  try {
    await body(kafka, topic);
  } finally {
    await admin.connect();
    await admin.deleteTopics({ topics: [topic] }).catch(() => undefined);
    await admin.disconnect();
  }
};

test("what one registry wrote, the next one has; the topic is compacted and has one partition", () =>
  withTopic(async (kafka, topic) => {
    const open = async () => {
      const log = createKafkaLog({ kafka, topic, waitMs: 10_000 });
      const registry = createRegistry(log);
      await registry.start();
      return { log, registry };
    };
    const first = await open();
    await first.registry.setLevel("s", "FULL_TRANSITIVE");
    const ids = await Promise.all(
      ["int", "string"].map((type) => first.registry.register(type, { schema: `"${type}"` })),
    );
    await first.log.close();
    const second = await open();
    try {
      assert.deepEqual(second.registry.subjects(), ["int", "string"]);
      assert.equal(second.registry.level("s"), "FULL_TRANSITIVE");
      assert.equal(await second.registry.register("again", { schema: '"string"' }), ids[1]);
      const admin = kafka.admin();
      await admin.connect();
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      await admin.disconnect();
      assert.equal(topics[0]?.partitions.length, 1);
    } finally {
      await second.log.close();
    }
  }));

test("a registry sees what another wrote meanwhile before it takes an id", () =>
  withTopic(async (kafka, topic) => {
    const logs = [0, 1].map(() => createKafkaLog({ kafka, topic, waitMs: 10_000 }));
    const [one, other] = logs.map(createRegistry);
    try {
      assert.ok(one && other);
      await one.start();
      await other.start();
      assert.equal(await one.register("a", { schema: '"int"' }), 1);
      assert.equal(await other.register("b", { schema: '"long"' }), 2);
      assert.equal(await one.register("b", { schema: '"long"' }), 2);
    } finally {
      await Promise.all(logs.map((log) => log.close()));
    }
  }));

test("a topic that Kafka would empty is refused", () =>
  withTopic(async (kafka, topic) => {
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: -1 }] });
    await admin.disconnect();
    const log = createKafkaLog({ kafka, topic, waitMs: 10_000 });
    try {
      await assert.rejects(createRegistry(log).start(), /cleanup\.policy delete/);
    } finally {
      await log.close();
    }
  }));
