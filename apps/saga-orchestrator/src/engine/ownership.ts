import type { Consumer } from "@deeplens/messaging";
import type { Logger } from "@deeplens/telemetry";
import type { ShardRow, Stream } from "../store/shard-rows.ts";
import { type LogEnds, startPlanOf } from "./positions.ts";

/** How this process reads one partition. */
export type Reading =
  /** A seek was asked for; what arrives from elsewhere is not applied. With a hash, the first record must bear it. */
  | { readonly state: "seeking"; readonly at: number; readonly hash?: string }
  | { readonly state: "reading"; readonly next: number }
  | { readonly state: "stopped"; readonly reason: string };

export interface Ownership {
  /** The epoch of each shard that is ours; empty while shards are being taken over. */
  epochs(): ReadonlyMap<number, number>;
  reading(stream: Stream, shard: number): Reading | undefined;
  setReading(stream: Stream, shard: number, reading: Reading): void;
  /** Takes these shards over, and every partition of theirs from where it was applied. */
  take(shards: readonly number[]): Promise<void>;
  /** Reads a partition again from where it was applied: after a fetch from a place that nobody asked for. */
  check(stream: Stream, shard: number): Promise<void>;
  /** Resolves when no take-over is under way. */
  settled(): Promise<void>;
  lose(): void;
  /** Why partitions stopped, by name; empty in good health. */
  stopped(): Readonly<Record<string, string>>;
}

export const createOwnership = (options: {
  readonly topics: Readonly<Record<Stream, string>>;
  readonly consumer: Pick<Consumer, "seek" | "pause">;
  /** Where the log of each partition of a topic begins and ends. */
  readonly logEnds: (topic: string) => Promise<ReadonlyMap<number, LogEnds>>;
  readonly takeShards: (shards: readonly number[]) => Promise<readonly (ShardRow & { epoch: number })[]>;
  readonly readShards: (shards: readonly number[]) => Promise<readonly ShardRow[]>;
  readonly onTaken: (shards: readonly number[]) => void;
  readonly log: Logger;
}): Ownership => {
  let epochs: ReadonlyMap<number, number> = new Map();
  const readings = new Map<string, Reading>();
  let takeOver: Promise<void> = Promise.resolve();
  let generation = 0;

  const startReading = (stream: Stream, row: ShardRow, ends: LogEnds): void => {
    const { shard } = row;
    const topic = options.topics[stream];
    const plan = startPlanOf(row.positions[stream], ends);
    if (plan.kind === "stop") {
      readings.set(keyOf(stream, shard), { state: "stopped", reason: plan.reason });
      options.consumer.pause([{ topic, partitions: [shard] }]);
      options.log.error({ topic, shard, reason: plan.reason }, "a partition is not applied any more");
      return;
    }
    const hash = plan.kind === "verify" ? { hash: plan.hash } : {};
    readings.set(keyOf(stream, shard), { state: "seeking", at: plan.at, ...hash });
    options.consumer.seek({ topic, partition: shard, offset: String(plan.at) });
  };

  const startAll = async (rows: readonly ShardRow[], streams: readonly Stream[]): Promise<void> => {
    for (const stream of streams) {
      const ends = await options.logEnds(options.topics[stream]);
      for (const row of rows) startReading(stream, row, ends.get(row.shard) ?? { low: 0, high: 0 });
    }
  };

  return {
    epochs: () => epochs,
    reading: (stream, shard) => readings.get(keyOf(stream, shard)),
    setReading: (stream, shard, reading) => readings.set(keyOf(stream, shard), reading),
    take: (shards) => {
      const mine = ++generation;
      epochs = new Map();
      readings.clear();
      takeOver = (async () => {
        if (shards.length === 0) return;
        const rows = await options.takeShards(shards);
        if (mine !== generation) return;
        await startAll(rows, ["requests", "replies"]);
        if (mine !== generation) return;
        epochs = new Map(rows.map((row) => [row.shard, row.epoch]));
        options.onTaken(shards);
        options.log.info({ shards }, "shards taken over");
      })();
      return takeOver;
    },
    check: async (stream, shard) => startAll(await options.readShards([shard]), [stream]),
    settled: () => takeOver,
    lose: () => {
      generation += 1;
      epochs = new Map();
    },
    stopped: () =>
      Object.fromEntries(
        [...readings].flatMap(([key, reading]) =>
          reading.state === "stopped" ? [[key, reading.reason]] : [],
        ),
      ),
  };
};

const keyOf = (stream: Stream, shard: number): string => `${stream}/${shard}`;
