import { randomUUID } from "node:crypto";
import { type Admin, createProducer, type Kafka } from "@deeplens/messaging";
import { offsetsOf } from "./kafka-cluster.ts";

/** The key of the record that proves a tenant's topic; its value is the tenant's id. */
export const probeRecordKey = ".deeplens-probe";

/** How long Kafka waits for a member of a probe's group that is silent. */
export const probeSessionMs = 10_000;

interface Records {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly group: string;
  readonly signal: AbortSignal;
}

/** The partition that takes the probe. */
export const probePartition = 0;

/** Puts one probe record on the topic and gives its offset. */
export const produceProbe = async (kafka: Kafka, topic: string, value: string): Promise<number> => {
  const producer = createProducer(kafka);
  await producer.connect();
  try {
    const [answer] = await producer.send({
      topic,
      acks: -1,
      messages: [{ partition: probePartition, key: probeRecordKey, value }],
    });
    return Number(answer?.baseOffset);
  } finally {
    await producer.disconnect();
  }
};

/**
 * Reads the topic from its beginning, until `enough` says so.
 *
 * @throws when the group is refused, the signal is aborted, or the client gives up
 */
export const readUntil = async (
  { kafka, topic, group, signal }: Records,
  enough: (record: { partition: number; offset: number; key: string | undefined }) => boolean,
): Promise<void> => {
  signal.throwIfAborted();
  const consumer = kafka.consumer({
    groupId: group,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: 100,
    // A member whose process died keeps its group from being deleted for as long as this.
    sessionTimeout: probeSessionMs,
    heartbeatInterval: 1_000,
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  consumer.on("consumer.crash", ({ payload }) => reject(payload.error));
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        const record = {
          partition,
          offset: Number(message.offset),
          key: message.key?.toString(),
        };
        if (enough(record)) resolve();
      },
    });
    await promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
    // Where something else failed first nobody waits for it any more.
    promise.catch(() => undefined);
    await consumer.disconnect();
  }
};

/**
 * How many records on the topic are no probes. Without any record it asks for the offsets only; otherwise it reads
 * them with a group of its own, which it removes.
 */
export const countForeignRecords = async (
  admin: Admin,
  { kafka, topic, group, signal }: Records,
): Promise<number> => {
  const open = new Map<number, number>();
  for (const { partition, low, high } of await offsetsOf(admin, topic, signal))
    if (high > low) open.set(partition, high - 1);
  if (open.size === 0) return 0;
  let foreign = 0;
  const ownGroup = `${group}.${randomUUID()}`;
  try {
    await readUntil({ kafka, topic, group: ownGroup, signal }, ({ partition, offset, key }) => {
      if (key !== probeRecordKey) foreign += 1;
      if (offset >= (open.get(partition) ?? Number.POSITIVE_INFINITY)) open.delete(partition);
      return foreign > 0 || open.size === 0;
    });
  } finally {
    // Where that fails the group's name says whose it is: the step removes it by that, later.
    await admin.deleteGroups([ownGroup]).catch(() => undefined);
  }
  return foreign;
};

/**
 * Removes the probes from the topic where there is nothing else on it, and leaves it as it is otherwise: a step that
 * is done again for a tenant that lives must not touch its events.
 */
export const removeProbes = async (admin: Admin, records: Records): Promise<void> => {
  const offsets = await offsetsOf(admin, records.topic, records.signal);
  const filled = offsets.filter(({ low, high }) => high > low);
  if (filled.length === 0) return;
  // One record on the probe's partition is the probe that was just read; more of them have to be looked at.
  const [only, another] = filled;
  const oneProbe = another === undefined && only?.partition === probePartition && only.high === only.low + 1;
  if (!oneProbe && (await countForeignRecords(admin, records)) > 0) return;
  await admin.deleteTopicRecords({
    topic: records.topic,
    partitions: filled.map(({ partition, high }) => ({ partition, offset: String(high) })),
  });
};
