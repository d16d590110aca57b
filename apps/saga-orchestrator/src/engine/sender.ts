import { setTimeout as delay } from "node:timers/promises";
import { headerNames, isDeadLetterTopic } from "@deeplens/contracts";
import { envelopeHeadersOf, type Producer, type TopicMessages } from "@deeplens/messaging";
import type { Logger } from "@deeplens/telemetry";
import type { EncodedMessage, StoredHeaders } from "../store/write-batch.ts";
import { headersFrom } from "./stored-headers.ts";

export interface OutboxRow extends EncodedMessage {
  readonly id: number;
}

export interface Sender {
  /** Rows that were committed just now. */
  add(rows: readonly OutboxRow[]): void;
  /** Everything that the table holds, after a take-over or a commit whose outcome is not known: replaces what waits. */
  replace(rows: readonly OutboxRow[]): void;
  /** Rows that the broker acknowledged since the last call: to be deleted by the next transaction. */
  takePublished(): number[];
  /** Gives back what was taken, where that transaction failed. */
  returnPublished(ids: readonly number[]): void;
  /** Why nothing goes out; undefined in good health. */
  blocked(): string | undefined;
  /** Ends when everything that waits is out, or with the time given. */
  stop(withinMs: number): Promise<void>;
}

const rowsAtOnce = 1_000;
/**
 * Well below a topic's largest batch (its largest record): the client makes one batch of all that a partition gets, and
 * the broker refuses a batch that is larger, however small its records are.
 */
const bytesAtOnce = 524_288;
const blockedAfterTries = 5;

/**
 * The one sender of a process: rows by their id, one request at a time, so that nothing overtakes anything. The client
 * tries once, and every try asks first whether the shards are still this process's. After an error the producer is
 * replaced (nothing of a try that failed may follow it) and sending starts again at the first row not acknowledged.
 */
export const createSender = (options: {
  /** A new producer, not yet connected. */
  readonly producer: () => Producer;
  /** The `ce_source` of our own messages. */
  readonly source: string;
  /** Asked before every try: where it says no, another process sends what waits here, and it is dropped. */
  readonly maySend: () => Promise<boolean>;
  readonly log: Logger;
  readonly onStage: (stage: "publishing" | "published") => void;
  /** The wait after a first error; twice as long after each other one, up to 5 s. */
  readonly waitMs?: number;
}): Sender => {
  const { waitMs = 400 } = options;
  let waiting: OutboxRow[] = [];
  let published: number[] = [];
  let deleting = new Set<number>();
  let blocked: string | undefined;
  let running: Promise<void> | undefined;
  let stopping = false;
  let producer: Producer | undefined;
  /** How often what waits was replaced. */
  let replaced = 0;

  const send = async (rows: readonly OutboxRow[]): Promise<void> => {
    if (producer === undefined) {
      producer = options.producer();
      await producer.connect();
    }
    await producer.sendBatch({ acks: -1, topicMessages: byTopic(rows, options.source) });
  };

  const replaceProducer = async (): Promise<void> => {
    const old = producer;
    producer = undefined;
    await old
      ?.disconnect()
      .catch((error: Error) =>
        options.log.warn({ reason: error.message }, "the old producer did not end cleanly"),
      );
  };

  const run = async (): Promise<void> => {
    let limit = rowsAtOnce;
    for (let tries = 0; waiting.length > 0 && !stopping; ) {
      try {
        const asked = replaced;
        const may = await options.maySend();
        // What came in place of what was asked about is asked about again.
        if (asked !== replaced) continue;
        if (!may) waiting = [];
        const rows = firstOf(waiting, limit);
        if (rows.length === 0) break;
        options.onStage("publishing");
        await send(rows);
        options.onStage("published");
        const sent = new Set(rows.map(({ id }) => id));
        waiting = waiting.filter(({ id }) => !sent.has(id));
        published.push(...sent);
        blocked = undefined;
        tries = 0;
        limit = Math.min(limit * 2, rowsAtOnce);
      } catch (error) {
        tries += 1;
        // Fewer each time: what stands before a row that is refused goes out, and the reason names that row.
        limit = Math.max(1, Math.floor(limit / 8));
        const reason = (error as Error).message;
        if (tries >= blockedAfterTries)
          blocked = `the outbox is not published from row ${waiting[0]?.id} on: ${reason}`;
        options.log.error(
          { err: error, row: waiting[0]?.id, tries },
          "the outbox could not be published; trying again",
        );
        await replaceProducer();
        if (stopping) return;
        await delay(Math.min(waitMs * 2 ** (tries - 1), 5_000));
      }
    }
    blocked = undefined;
  };

  const kick = (): void => {
    if (running !== undefined || stopping || waiting.length === 0) return;
    running = run().finally(() => {
      running = undefined;
      kick();
    });
  };

  return {
    add: (rows) => {
      waiting.push(...rows);
      kick();
    },
    replace: (rows) => {
      replaced += 1;
      const acknowledged = new Set([...published, ...deleting]);
      waiting = rows.filter(({ id }) => !acknowledged.has(id));
      kick();
    },
    takePublished: () => {
      const ids = published;
      published = [];
      deleting = new Set(ids);
      return ids;
    },
    returnPublished: (ids) => {
      published.unshift(...ids);
      deleting = new Set();
    },
    blocked: () => blocked,
    stop: async (withinMs) => {
      await Promise.race([running, delay(withinMs)]);
      stopping = true;
      await replaceProducer();
    },
  };
};

/** The first rows of what waits, at least one, as many as fit one request. */
const firstOf = (waiting: readonly OutboxRow[], limit: number): OutboxRow[] => {
  let bytes = 0;
  const end = waiting.slice(0, limit).findIndex((row, index) => {
    bytes += bytesOf(row);
    return index > 0 && bytes > bytesAtOnce;
  });
  return waiting.slice(0, end === -1 ? limit : end);
};

// With the headers that every one of ours has.
const perRecordBytes = 256;

const bytesOf = ({ key, value, headers }: OutboxRow): number =>
  (key?.length ?? 0) + (value?.length ?? 0) + headerBytesOf(headers) + perRecordBytes;

const headerBytesOf = (headers: StoredHeaders): number => {
  let bytes = 0;
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    bytes += name.length + (typeof value === "string" ? value : JSON.stringify(value)).length;
  }
  return bytes;
};

// A dead letter's headers are its record's, as they came; it gets an id where that one had none.
const byTopic = (rows: readonly OutboxRow[], source: string): TopicMessages[] => {
  const topics = new Map<string, TopicMessages>();
  for (const { id, topic, shard, key, value, headers } of rows) {
    const messages = topics.get(topic) ?? { topic, messages: [] };
    const stored = headersFrom(headers);
    const envelope = isDeadLetterTopic(topic)
      ? { [headerNames.id]: String(id) }
      : envelopeHeadersOf({ id: String(id), source });
    messages.messages.push({ key, value, partition: shard, headers: { ...envelope, ...stored } });
    topics.set(topic, messages);
  }
  return [...topics.values()];
};
