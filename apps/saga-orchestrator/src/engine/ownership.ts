import type { Consumer } from "@deeplens/messaging";
import type { Logger } from "@deeplens/telemetry";
import { type ShardRow, type Stream, streams } from "../store/shard-rows.ts";
import { fromBeginning, type LogEnds, type StartPlan, startPlanOf, strangeLogOf } from "./positions.ts";

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
  seekAgain(stream: Stream, shard: number, at: number): void;
  /** This partition is not applied any more, and the process is not ready. */
  stopReading(stream: Stream, shard: number, reason: string): void;
  /** Takes these shards over, and every partition of theirs from where it was applied. */
  take(shards: readonly number[]): Promise<void>;
  /** Reads a partition again from where it was applied: after a fetch from a place that nobody asked for. */
  check(stream: Stream, shard: number): Promise<void>;
  /** Resolves when no take-over is under way. */
  settled(): Promise<void>;
  /** Another process has a shard of these epochs by now. Nothing happens where they were taken anew meanwhile. */
  lose(seen: ReadonlyMap<number, number>): void;
  lost(): boolean;
  /** Takes the assigned shards again where they were lost. */
  takeAgain(): Promise<void>;
  /** Why partitions stopped, by name; empty in good health. */
  stopped(): Readonly<Record<string, string>>;
  /** From where a stopped partition could be read on; the end as it was last seen, so that nothing newer is passed over. */
  stoppedAt(stream: Stream, shard: number): { readonly beginning: number; readonly end: number } | undefined;
  /**
   * True where what happened outside is not known, so that no timer may judge by it: a partition of the shard stopped,
   * the log was not yet seen to be the one that was applied, or replies of before the take-over are not read yet.
   */
  blind(shard: number): boolean;
}

/** Timers don't wait for ever: what ends a log need not be a record (a transaction's marker is none). */
const backlogMs = 60_000;

export const createOwnership = (options: {
  readonly topics: Readonly<Record<Stream, string>>;
  readonly consumer: Pick<Consumer, "seek" | "pause" | "resume">;
  /** Where the log of each partition of a topic begins and ends. */
  readonly logEnds: (topic: string) => Promise<ReadonlyMap<number, LogEnds>>;
  readonly takeShards: (shards: readonly number[]) => Promise<readonly (ShardRow & { epoch: number })[]>;
  /** Keeps where reading begins in partitions that this database has never read. */
  readonly beginShards: (
    begun: readonly { shard: number; epoch: number; requests: number; replies: number }[],
  ) => Promise<void>;
  readonly readShards: (shards: readonly number[]) => Promise<readonly ShardRow[]>;
  readonly onTaken: (shards: readonly number[]) => void;
  readonly log: Logger;
}): Ownership => {
  let epochs: ReadonlyMap<number, number> = new Map();
  const readings = new Map<string, Reading>();
  let takeOver: Promise<void> = Promise.resolve();
  let generation = 0;
  let assigned: readonly number[] = [];
  let lost = false;
  /** The end of each partition when it was taken over, and until when timers wait for what lies before it. */
  const backlogs = new Map<string, { end: number; untilMs: number }>();

  const stopReading = (stream: Stream, shard: number, reason: string): void => {
    const topic = options.topics[stream];
    readings.set(keyOf(stream, shard), { state: "stopped", reason });
    // Without the pause the client would fetch the same records again and again.
    options.consumer.pause([{ topic, partitions: [shard] }]);
    options.log.error({ topic, shard, reason }, "a partition is not applied any more");
  };

  const startReading = (stream: Stream, row: ShardRow, ends: LogEnds, replies: LogEnds): void => {
    const { shard } = row;
    const topic = options.topics[stream];
    const position = row.positions[stream];
    const strange = position === undefined ? strangeLogOf(replies) : undefined;
    const plan: StartPlan =
      strange === undefined
        ? startPlanOf(position ?? { next: fromBeginning, hash: null }, ends)
        : { kind: "stop", reason: strange };
    backlogs.set(keyOf(stream, shard), { end: ends.high, untilMs: performance.now() + backlogMs });
    if (plan.kind === "stop") return stopReading(stream, shard, plan.reason);
    const hash = plan.kind === "verify" ? { hash: plan.hash } : {};
    readings.set(keyOf(stream, shard), { state: "seeking", at: plan.at, ...hash });
    options.consumer.seek({ topic, partition: shard, offset: String(plan.at) });
    // The client's pauses outlive a rebalance: this partition may have been stopped when it was ours before.
    options.consumer.resume([{ topic, partitions: [shard] }]);
  };

  /** Where both logs begin and end, by shard. */
  const endsOfBoth = async () => {
    const [requests, replies] = await Promise.all(
      streams.map((stream) => options.logEnds(options.topics[stream])),
    );
    return (shard: number): Readonly<Record<Stream, LogEnds>> => ({
      requests: requests?.get(shard) ?? noLog,
      replies: replies?.get(shard) ?? noLog,
    });
  };

  const take = (shards: readonly number[]): Promise<void> => {
    const mine = ++generation;
    assigned = shards;
    lost = false;
    epochs = new Map();
    readings.clear();
    takeOver = (async () => {
      if (shards.length === 0) return;
      const rows = await options.takeShards(shards);
      const endsOf = await endsOfBoth();
      const begun = rows
        .filter(({ positions }) => streams.some((stream) => positions[stream] === undefined))
        .map(({ shard, epoch }) => ({ shard, epoch, ends: endsOf(shard) }))
        .filter(({ ends }) => strangeLogOf(ends.replies) === undefined)
        .map(({ ends, ...row }) => ({ ...row, requests: ends.requests.low, replies: ends.replies.low }));
      // Before anything is read: once there are replies, only this says that they are this database's.
      if (begun.length > 0) await options.beginShards(begun);
      if (mine !== generation) return;
      for (const row of rows) {
        const ends = endsOf(row.shard);
        for (const stream of streams) startReading(stream, row, ends[stream], ends.replies);
      }
      epochs = new Map(rows.map((row) => [row.shard, row.epoch]));
      options.onTaken(shards);
      options.log.info({ shards }, "shards taken over");
    })();
    return takeOver;
  };

  return {
    epochs: () => epochs,
    reading: (stream, shard) => readings.get(keyOf(stream, shard)),
    setReading: (stream, shard, reading) => readings.set(keyOf(stream, shard), reading),
    seekAgain: (stream, shard, at) =>
      options.consumer.seek({ topic: options.topics[stream], partition: shard, offset: String(at) }),
    stopReading,
    take,
    check: async (stream, shard) => {
      const mine = generation;
      const [row] = await options.readShards([shard]);
      const ends = (await endsOfBoth())(shard);
      if (mine === generation && row !== undefined) startReading(stream, row, ends[stream], ends.replies);
    },
    settled: () => takeOver,
    lose: (seen) => {
      // A take-over of our own raises the epochs too: a transaction that it overtook has lost nothing.
      if (seen !== epochs) return;
      generation += 1;
      epochs = new Map();
      lost = true;
    },
    lost: () => lost,
    takeAgain: async () => {
      if (lost) await take(assigned);
    },
    stopped: () =>
      Object.fromEntries(
        [...readings].flatMap(([key, reading]) =>
          reading.state === "stopped" ? [[key, reading.reason]] : [],
        ),
      ),
    stoppedAt: (stream, shard) =>
      readings.get(keyOf(stream, shard))?.state === "stopped"
        ? { beginning: fromBeginning, end: backlogs.get(keyOf(stream, shard))?.end ?? fromBeginning }
        : undefined,
    blind: (shard) =>
      streams.some((stream) => {
        const reading = readings.get(keyOf(stream, shard));
        if (reading?.state === "stopped") return true;
        if (reading?.state === "seeking" && reading.hash !== undefined) return true;
        if (stream === "requests" || reading === undefined) return false;
        const { end = 0, untilMs = 0 } = backlogs.get(keyOf(stream, shard)) ?? {};
        const next = reading.state === "seeking" ? reading.at : reading.next;
        return next < end && performance.now() < untilMs;
      }),
  };
};

const noLog: LogEnds = { low: 0, high: 0 };

const keyOf = (stream: Stream, shard: number): string => `${stream}/${shard}`;
