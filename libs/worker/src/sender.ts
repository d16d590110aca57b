import { setTimeout as delay } from "node:timers/promises";
import { isKafkaError, type KafkaRecord, type Producer } from "@deeplens/messaging";
import type { Logger } from "@deeplens/telemetry";

/** Sends records in the order in which they were given, those that come together in one request. */
export interface Sender {
  /**
   * Resolves when all replicas have it; tries for ever until the sender is closed.
   * @throws where the record is too large for its topic: no retry can help
   */
  send(topic: string, record: KafkaRecord): Promise<void>;
  /** Resolves when nothing waits any more. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

interface Waiting {
  readonly topic: string;
  readonly record: KafkaRecord;
  resolve(): void;
  reject(error: unknown): void;
}

const mostAtOnce = 500;
const mostBytesAtOnce = 512 * 1_024;

/**
 * A sender over idempotent producers. After an error that outlived the client's own retries the producer is replaced
 * (the client's sequence numbers can't be trusted then) and the same records are sent again: at least once.
 *
 * @param connect a producer, connected
 */
export const createSender = async (
  connect: () => Promise<Producer>,
  log: Logger,
  retryMs = 1_000,
): Promise<Sender> => {
  const waiting: Waiting[] = [];
  let producer = await connect();
  let closed = false;
  let sending: Promise<void> | undefined;
  // So many of the next ones travel alone: one of them is too large for its topic, and it is not known which.
  let alone = 0;

  const sendAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, alone > 0 ? 1 : countOf(waiting));
      alone = Math.max(0, alone - 1);
      try {
        await producer.sendBatch({ acks: -1, topicMessages: byTopic(batch) });
        for (const one of batch) one.resolve();
      } catch (error) {
        if (closed) {
          for (const one of [...batch, ...waiting.splice(0)]) one.reject(error);
          return;
        }
        const tooLarge = isTooLarge(error);
        log.warn({ reason: (error as Error).message, records: batch.length }, "the records were not taken");
        if (tooLarge && batch.length === 1) batch.pop()?.reject(error);
        else if (tooLarge) alone = batch.length;
        waiting.unshift(...batch);
        await replace();
      }
    }
  };

  const replace = async (): Promise<void> => {
    // Another one takes its place, however it ends.
    await producer.disconnect().catch(() => undefined);
    while (!closed)
      try {
        await delay(retryMs, undefined, { ref: false });
        producer = await connect();
        return;
      } catch (error) {
        log.warn({ reason: (error as Error).message }, "waiting for Kafka to take replies");
      }
  };

  const start = (): void => {
    // Those that settle in the same tick travel together.
    sending ??= new Promise<void>((resolve) => setImmediate(resolve)).then(sendAll).finally(() => {
      sending = undefined;
      if (waiting.length > 0) start();
    });
  };

  return {
    send: (topic, record) =>
      new Promise((resolve, reject) => {
        waiting.push({ topic, record, resolve, reject });
        start();
      }),
    async flush() {
      while (sending !== undefined) await sending;
    },
    async close() {
      closed = true;
      await producer.disconnect();
    },
  };
};

const isTooLarge = (error: unknown): boolean =>
  isKafkaError(error, "MESSAGE_TOO_LARGE") ||
  (error instanceof Error && error.cause !== undefined && isTooLarge(error.cause));

const countOf = (waiting: readonly Waiting[]): number => {
  let bytes = 0;
  for (const [index, { record }] of waiting.entries()) {
    bytes += record.value?.length ?? 0;
    if (index > 0 && (index === mostAtOnce || bytes > mostBytesAtOnce)) return index;
  }
  return waiting.length;
};

const byTopic = (batch: readonly Waiting[]): { topic: string; messages: KafkaRecord[] }[] => {
  const topics = new Map<string, KafkaRecord[]>();
  for (const { topic, record } of batch) {
    const messages = topics.get(topic) ?? [];
    topics.set(topic, messages);
    messages.push(record);
  }
  return [...topics].map(([topic, messages]) => ({ topic, messages }));
};
