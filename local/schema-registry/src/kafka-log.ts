/**
 * The `_schemas` topic as the registry's log: one partition, compacted. What is applied comes only from reading it;
 * appending waits until the record came back.
 */
import { randomUUID } from "node:crypto";
import kafkajs, { type Kafka } from "kafkajs";
import { storeFailed } from "./errors.ts";
import { type LogRecord, noop } from "./records.ts";
import type { SchemaLog } from "./registry.ts";

export type KafkaLogOptions = { kafka: Kafka; topic: string; waitMs: number };
export type KafkaLog = SchemaLog & { close(): Promise<void> };

/**
 * The log in the topic. `follow` makes the topic where it is missing; it throws when the topic is not compacted (Kafka
 * would delete the schemas after a week) or Kafka is not there, and can then be called again. Everything else throws
 * RegistryError 50001 when Kafka does not answer within `waitMs`.
 */
export const createKafkaLog = ({ kafka, topic, waitMs }: KafkaLogOptions): KafkaLog => {
  const admin = kafka.admin();
  const producer = kafka.producer({
    idempotent: true,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  // A group of its own each time: nobody waits for a killed predecessor's session to end, and nothing is ever committed.
  const consumer = kafka.consumer({
    groupId: `schema-registry-${randomUUID()}`,
    maxWaitTimeInMs: 250,
    // After Kafka's restart its own earlier membership must end before it can read again: soon.
    sessionTimeout: 6_000,
    rebalanceTimeout: 6_000,
    heartbeatInterval: 1_500,
    retry: { maxRetryTime: 2_000, restartOnFailure: async () => true },
  });
  const reading = readingPosition(waitMs);
  const close = async (): Promise<void> => {
    await Promise.allSettled([consumer.disconnect(), producer.disconnect(), admin.disconnect()]);
  };

  const send = async (record: LogRecord): Promise<bigint> => {
    const [sent] = await producer.send({ topic, acks: -1, messages: [{ ...record, partition: 0 }] });
    return BigInt(sent?.baseOffset ?? -1);
  };
  const append = async (record: LogRecord): Promise<void> => reading.past(await orStoreError(send(record)));
  const catchUp = async (): Promise<void> => {
    const [offsets] = await orStoreError(admin.fetchTopicOffsets(topic));
    await reading.past(BigInt(offsets?.high ?? 0) - 1n);
  };
  const read = async (apply: (record: LogRecord) => void): Promise<void> => {
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch, resolveOffset }) => {
        for (const message of batch.messages) {
          // After a rejoin Kafka hands out everything again; what was applied already must not undo what came later.
          if (BigInt(message.offset) >= reading.next() && message.key !== null)
            apply({ key: message.key.toString(), value: message.value?.toString() ?? null });
          resolveOffset(message.offset);
        }
        reading.reached(BigInt(batch.lastOffset()) + 1n);
      },
    });
  };
  const follow = async (apply: (record: LogRecord) => void): Promise<void> => {
    try {
      await Promise.all([admin.connect(), producer.connect(), consumer.connect()]);
      await makeTopic(admin, topic);
      await read(apply);
      await append(noop);
    } catch (error) {
      await close();
      throw error;
    }
  };
  return { follow, catchUp, append, close };
};

const makeTopic = async (admin: ReturnType<Kafka["admin"]>, topic: string): Promise<void> => {
  const compact = [{ name: "cleanup.policy", value: "compact" }];
  await admin.createTopics({
    topics: [{ topic, numPartitions: 1, replicationFactor: -1, configEntries: compact }],
  });
  const type = kafkajs.ConfigResourceTypes.TOPIC;
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type, name: topic, configNames: ["cleanup.policy"] }],
  });
  const policy = resources[0]?.configEntries[0]?.configValue;
  if (policy !== "compact")
    throw new Error(
      `Topic ${topic} has cleanup.policy ${policy}, so Kafka would delete schemas: set it to compact`,
    );
};

/** The offset to be read next, and waiting for it to grow. */
const readingPosition = (waitMs: number) => {
  let next = 0n;
  let waiting: { offset: bigint; done: () => void }[] = [];
  return {
    next: () => next,
    reached: (offset: bigint): void => {
      if (offset > next) next = offset;
      for (const wait of waiting.filter((wait) => wait.offset < next)) wait.done();
      waiting = waiting.filter((wait) => wait.offset >= next);
    },
    /** Resolves when the record at this offset was applied; throws when that takes longer than waitMs. */
    past: (offset: bigint): Promise<void> => {
      if (offset < next) return Promise.resolve();
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting = waiting.filter((wait) => wait.done !== done);
          reject(storeFailed(`offset ${offset} was not read back within ${waitMs} ms`));
        }, waitMs);
        const done = (): void => {
          clearTimeout(timer);
          resolve();
        };
        waiting.push({ offset, done });
      });
    },
  };
};

const orStoreError = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error: Error) => {
    throw storeFailed(error.message);
  });
