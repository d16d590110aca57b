import { setTimeout as delay } from "node:timers/promises";
import { headerNames, type Request, unreachable } from "@deeplens/contracts";
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

/** As many records may wait for a transaction; then nothing more is fetched. */
const mostWaiting = 2_000;

/** What a fetch brought for one partition. */
interface Fetched {
  readonly shard: number;
  readonly records: readonly RecordInput[];
  taken: number;
}

/** What a transaction takes of what waits. */
export interface Taken {
  readonly records: readonly RecordInput[];
  /** Shards of which more waits: what happened there is not known yet. */
  readonly left: ReadonlySet<number>;
  /** To be called when they were committed. */
  committed(): void;
}

export interface Intake {
  /**
   * Called by kafkajs for each partition of a fetch. It goes on to fetch while these records wait for their transaction:
   * only the shard's row says how far a partition was applied.
   */
  eachBatch(payload: EachBatchPayload): Promise<void>;
  /** Up to `limit` records of what waits, each partition's in order. Until they were committed they are taken again. */
  take(limit: number): Taken;
  /** Drops what waits: the shards were lost, and their next owner reads it again. */
  drop(): void;
  /** Drops what waits and takes nothing more. */
  close(): void;
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
  let closed = false;

  /** The records up to the first that can't be decoded now; where there is one, the partition pauses for a while. */
  const decodeAll = async (payload: EachBatchPayload, stream: Stream, messages: readonly KafkaMessage[]) => {
    const records: RecordInput[] = [];
    const { partition: shard } = payload.batch;
    let heardMs = performance.now();
    for (const message of messages) {
      let content: RecordContent;
      try {
        content = await contentOf(options.codec, stream, message);
      } catch (error) {
        const { offset } = message;
        log.warn(
          { stream, shard, offset, reason: (error as Error).message },
          "waiting for the schema registry",
        );
        // Other partitions go on: a fetch that waited here would hold them all.
        setTimeout(payload.pause(), registryRetryMs).unref();
        return records;
      }
      // Thousands of records that each ask the registry must not cost the session.
      if (performance.now() - heardMs > heartbeatMs) {
        await payload.heartbeat();
        heardMs = performance.now();
      }
      records.push({
        from: "kafka",
        shard,
        stream,
        offset: Number(message.offset),
        content,
      });
    }
    return records;
  };

  /** Resolved when what waits gets less. */
  let room = Promise.withResolvers<void>();
  const makeRoom = (): void => {
    room.resolve();
    room = Promise.withResolvers();
  };
  const waiting = (): number =>
    queue.reduce((count, { records, taken }) => count + records.length - taken, 0);

  const drop = (): void => {
    queue = [];
    makeRoom();
  };

  return {
    async eachBatch(payload) {
      const { batch, heartbeat, isRunning, resolveOffset } = payload;
      await ownership.settled();
      const stream = options.streamOf(batch.topic);
      const messages = await acceptable(ownership, stream, payload);
      const reading = ownership.reading(stream, batch.partition);
      const records = await decodeAll(payload, stream, messages);
      // Taken over again meanwhile, or stopped: what this fetch brought is read anew from where it was applied.
      if (closed || ownership.reading(stream, batch.partition) !== reading) return;
      const last = records.at(-1);
      if (last === undefined) {
        // Nothing but the record that was applied last: read on behind it.
        if (reading?.state === "reading") resolveOffset(String(reading.next - 1));
        return;
      }
      ownership.setReading(stream, batch.partition, { state: "reading", next: last.offset + 1 });
      queue.push({ shard: batch.partition, records, taken: 0 });
      options.onArrival();
      resolveOffset(String(last.offset));
      while (waiting() > mostWaiting && isRunning()) {
        await Promise.race([room.promise, delay(heartbeatMs, undefined, { ref: false })]);
        await heartbeat();
      }
    },
    take(limit) {
      const records: RecordInput[] = [];
      const left = new Set<number>();
      // Each cursor is bound to its fetch: what was dropped since, and fetched anew, is not moved by this commit.
      const cursors: { fetched: Fetched; upTo: number }[] = [];
      for (const fetched of queue) {
        const part = fetched.records.slice(fetched.taken, fetched.taken + limit - records.length);
        records.push(...part);
        const upTo = fetched.taken + part.length;
        cursors.push({ fetched, upTo });
        if (upTo < fetched.records.length) left.add(fetched.shard);
      }
      return {
        records,
        left,
        committed: () => {
          for (const { fetched, upTo } of cursors) fetched.taken = upTo;
          queue = queue.filter(({ taken, records: all }) => taken < all.length);
          makeRoom();
        },
      };
    },
    drop,
    close: () => {
      closed = true;
      drop();
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
  if (reading === undefined || first === undefined) return [];
  switch (reading.state) {
    case "stopped":
      ownership.stopReading(stream, batch.partition, reading.reason);
      return [];
    case "seeking": {
      if (fetchedOffset !== reading.at) {
        // The fetch was under way when we asked, or something moved the client since: ask again.
        ownership.seekAgain(stream, batch.partition, reading.at);
        return [];
      }
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
      ownership.stopReading(stream, batch.partition, reason);
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
      switch (message.record) {
        case "TenantProvisioningRequested":
        case "TenantRemovalRequested":
          return requestContent(raw, message, unreadable);
        default:
          return unreadable("wrong-record", `${message.record} is no request`);
      }
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
  request: Request,
  unreadable: (code: string, message: string) => RecordContent,
): RecordContent => {
  const source = headerText(raw.headers, headerNames.source) ?? "";
  if (!identifier.test(source))
    return unreadable(
      "source-missing",
      `header ${headerNames.source}: must name the sender in 1 to 200 visible characters`,
    );
  if (!identifier.test(request.value.requestId))
    return unreadable("request-id-invalid", "requestId: must have 1 to 200 visible characters");
  if (request.record === "TenantProvisioningRequested")
    return { kind: "request", source, request: request.value, raw };
  if (!uuid.test(request.value.tenantId))
    return unreadable("tenant-id-invalid", "tenantId: must be the tenant's id, a UUID");
  return { kind: "removal", source, request: request.value, raw };
};

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
