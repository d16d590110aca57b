import { setTimeout as delay } from "node:timers/promises";
import { headerNames, unreachable } from "@deeplens/contracts";
import {
  type Codec,
  type EachBatchPayload,
  headerText,
  type KafkaMessage,
  UndecodableMessage,
} from "@deeplens/messaging";
import type { Logger } from "@deeplens/telemetry";
import type { Stream } from "../store/shard-rows.ts";
import type { RecordContent, RecordInput } from "./inputs.ts";
import type { Ownership } from "./ownership.ts";
import { recordHash } from "./positions.ts";

const heartbeatMs = 2_000;
const registryRetryMs = 1_000;
/** The largest request that is read; a larger one goes to the dead letters. */
export const maximumRequestBytes = 65_536;

/** What a fetch brought for one partition; acknowledged by its own promise when all of it was committed. */
interface Fetched {
  readonly records: readonly RecordInput[];
  taken: number;
  readonly done: () => void;
}

export interface Intake {
  /** Called by kafkajs for each partition of a fetch; all of them wait here together. */
  eachBatch(payload: EachBatchPayload): Promise<void>;
  /** Up to `limit` records of what waits, each partition's in order, and what to call when they were committed. */
  take(limit: number): { records: readonly RecordInput[]; committed: () => void };
  waiting(): boolean;
  /** Drops what waits: the shards were lost, and their next owner reads it again. */
  drop(): void;
}

export const createIntake = (options: {
  readonly streamOf: (topic: string) => Stream;
  readonly ownership: Ownership;
  readonly codec: Pick<Codec, "decode">;
  readonly log: Logger;
  readonly onArrival: () => void;
}): Intake => {
  const { ownership, log } = options;
  let queue: Fetched[] = [];

  const decodeAll = async (payload: EachBatchPayload, stream: Stream, messages: readonly KafkaMessage[]) => {
    const records: RecordInput[] = [];
    for (const message of messages) {
      const content = await withRegistry(payload, log, () => contentOf(options.codec, stream, message));
      if (content === undefined) return undefined;
      const { partition: shard } = payload.batch;
      records.push({
        from: "kafka",
        shard,
        stream,
        offset: Number(message.offset),
        hash: recordHash(message),
        content,
      });
    }
    return records;
  };

  return {
    async eachBatch(payload) {
      const { batch, heartbeat, isRunning, isStale, resolveOffset } = payload;
      await ownership.settled();
      const stream = options.streamOf(batch.topic);
      const messages = await acceptable(ownership, stream, payload);
      const last = messages.at(-1);
      if (last === undefined) {
        // Nothing but the record that was applied last: read on behind it.
        const reading = ownership.reading(stream, batch.partition);
        if (reading?.state === "reading") resolveOffset(String(reading.next - 1));
        return;
      }
      const records = await decodeAll(payload, stream, messages);
      if (records === undefined || isStale()) return;
      ownership.setReading(stream, batch.partition, { state: "reading", next: Number(last.offset) + 1 });
      const { promise, resolve } = Promise.withResolvers<void>();
      queue.push({ records, taken: 0, done: resolve });
      options.onArrival();
      let done = false;
      void promise.then(() => {
        done = true;
      });
      while (!done) {
        await Promise.race([promise, delay(heartbeatMs, undefined, { ref: false })]);
        if (!done && isRunning()) await heartbeat();
      }
      resolveOffset(last.offset);
    },
    take(limit) {
      const records: RecordInput[] = [];
      const finished: Fetched[] = [];
      const before = queue.map((fetched) => [fetched, fetched.taken] as const);
      for (const fetched of queue) {
        const part = fetched.records.slice(fetched.taken, fetched.taken + limit - records.length);
        records.push(...part);
        fetched.taken += part.length;
        if (fetched.taken === fetched.records.length) finished.push(fetched);
        if (records.length >= limit) break;
      }
      // Until the commit everything stays in the queue: a transaction that failed takes the same records again.
      for (const [fetched, taken] of before) fetched.taken = taken;
      return {
        records,
        committed: () => {
          let left = records.length;
          for (const fetched of queue) {
            const part = Math.min(left, fetched.records.length - fetched.taken);
            fetched.taken += part;
            left -= part;
          }
          queue = queue.filter((fetched) => !finished.includes(fetched));
          for (const fetched of finished) fetched.done();
        },
      };
    },
    waiting: () => queue.length > 0,
    drop: () => {
      const dropped = queue;
      queue = [];
      for (const fetched of dropped) fetched.done();
    },
  };
};

/** The records of a fetch that may be applied: none where it came from a place that leaves a gap or was not asked for. */
const acceptable = async (
  ownership: Ownership,
  stream: Stream,
  { batch }: EachBatchPayload,
): Promise<readonly KafkaMessage[]> => {
  const reading = ownership.reading(stream, batch.partition);
  const fetchedOffset = Number((batch as unknown as { fetchedOffset: string }).fetchedOffset);
  const [first] = batch.messages;
  if (reading === undefined || reading.state === "stopped" || first === undefined) return [];
  switch (reading.state) {
    case "seeking": {
      if (fetchedOffset !== reading.at) return [];
      if (reading.hash === undefined) return batch.messages;
      if (Number(first.offset) === reading.at && recordHash(first) === reading.hash) {
        ownership.setReading(stream, batch.partition, { state: "reading", next: reading.at + 1 });
        return batch.messages.slice(1);
      }
      if (Number(first.offset) > reading.at) {
        await ownership.check(stream, batch.partition);
        return [];
      }
      const reason = `record ${first.offset} is not the one that was applied: the topic was made again, or the database is from another time`;
      ownership.setReading(stream, batch.partition, { state: "stopped", reason });
      return [];
    }
    case "reading":
      if (fetchedOffset === reading.next) return batch.messages;
      // Above: a gap. Below, and no seek of ours asked for it: perhaps the topic was made again under us.
      await ownership.check(stream, batch.partition);
      return [];
    default:
      return unreachable(reading);
  }
};

/** Tries again while the registry does not answer; undefined where the partition was taken away meanwhile. */
const withRegistry = async (
  { heartbeat, isRunning, isStale }: EachBatchPayload,
  log: Logger,
  decode: () => Promise<RecordContent>,
): Promise<RecordContent | undefined> => {
  for (;;) {
    try {
      return await decode();
    } catch (error) {
      log.warn({ reason: (error as Error).message }, "waiting for the schema registry");
      await delay(registryRetryMs);
      if (!isRunning() || isStale()) return undefined;
      await heartbeat();
    }
  }
};

const contentOf = async (
  codec: Pick<Codec, "decode">,
  stream: Stream,
  raw: KafkaMessage,
): Promise<RecordContent> => {
  const unreadable = (code: string, message: string): RecordContent => ({
    kind: "unreadable",
    code,
    message,
    raw,
  });
  if (stream === "requests" && (raw.value?.length ?? 0) > maximumRequestBytes)
    return unreadable(
      "too-large",
      `the request has ${raw.value?.length} bytes; the most is ${maximumRequestBytes}`,
    );
  try {
    const message = await codec.decode(raw.value);
    if (stream === "requests") {
      if (message.record !== "TenantProvisioningRequested")
        return unreadable("wrong-record", `${message.record} is no request`);
      return requestContent(raw, message.value, unreadable);
    }
    switch (message.record) {
      case "StepCompleted":
      case "StepFailed":
      case "StepCompensated":
      case "StepCompensationFailed":
      case "StepProgressed":
        return { kind: "reply", reply: message, raw };
      default:
        return unreadable("wrong-record", `${message.record} is no reply`);
    }
  } catch (error) {
    if (error instanceof UndecodableMessage) return unreadable(error.reason, error.message);
    throw error;
  }
};

const identifier = /^[^\p{Cc}\p{Cs}]{1,200}$/u;

const requestContent = (
  raw: KafkaMessage,
  request: Extract<RecordContent, { kind: "request" }>["request"],
  unreadable: (code: string, message: string) => RecordContent,
): RecordContent => {
  const source = headerText(raw.headers, headerNames.source) ?? "";
  if (!identifier.test(source))
    return unreadable(
      "source-missing",
      `header ${headerNames.source}: must name the sender in 1 to 200 visible characters`,
    );
  if (!identifier.test(request.requestId))
    return unreadable("request-id-invalid", "requestId: must have 1 to 200 visible characters");
  return { kind: "request", source, request, raw };
};
