/**
 * The engine: turns what comes in (requests, replies, acts, timers) into what goes out (commands, lifecycle events),
 * through one transaction a batch. Why a crash at any point leaves a tenant whole or gone:
 *
 * 1. The truth is in Postgres alone. One statement is the transaction: it locks the rows of its shards, sees that they
 *    still are this process's (the epoch), and writes sagas, timers, history, outbox and the consumed offsets together.
 *    Before its commit nothing of the batch has happened: the next owner reads the same records from the stored offsets.
 *    After it all of it has: records below the stored offsets are passed over. What it was made from was read just before
 *    without a lock: nobody writes that but the shards' owner, and another owner has raised the epoch. (A request id may
 *    come from two shards at once: the second one's statement ends without a trace, and is made anew.)
 * 2. What goes out is a row of the outbox, written by that same transaction. A crash after the commit leaves the row;
 *    it is published by whoever owns the shard next, before anything of its own. A crash after publishing and before
 *    the row's deletion publishes it twice with the same id and fence, which workers answer from their own rows.
 * 3. The offset that Kafka keeps is a hint. On assignment reading starts at the last applied record, whose hash must be
 *    the stored one: a log that was made again, or a database from another time, stops the partition and says so. So does
 *    a database that never read a log in which there are replies. An operator's act lets it go on.
 * 4. Whoever lost a shard without knowing it has an old epoch, and its transaction writes nothing. Before it sends it
 *    looks at its epochs, where no commit confirmed them lately; what it was sending at that very moment dies by its
 *    fence or its revision, and the states that changed lately are published again, at once and some minutes later.
 * 5. Every saga that is not final has a timer, in the row that is written with it: whatever is lost outside (a command,
 *    a worker, a reply) ends in a deadline, and the deadline in another try or in the undo.
 */
import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import { repliesTopic, requestsTopic, topicName } from "@deeplens/contracts";
import {
  type Admin,
  type Codec,
  type Consumer,
  createConsumer,
  createSingleTryProducer,
  type Kafka,
  runConsumer,
} from "@deeplens/messaging";
import type { Pool } from "@deeplens/postgres";
import type { HealthCheck } from "@deeplens/service";
import type { Logger } from "@deeplens/telemetry";
import type { SagaKind } from "../saga/batch.ts";
import type { SagaSettings } from "../saga/settings.ts";
import { areHeld, beginShards, readShards, type Stream, takeShards } from "../store/shard-rows.ts";
import { startInboxBell } from "./inbox-bell.ts";
import { createIntake } from "./intake.ts";
import { startOffsetHints } from "./offset-hints.ts";
import { createOwnership } from "./ownership.ts";
import type { LogEnds } from "./positions.ts";
import { startPruning } from "./pruning.ts";
import { createRounds } from "./rounds.ts";
import { createSender } from "./sender.ts";
import type { OnStage } from "./stages.ts";
import { startStopNotes } from "./stop-notes.ts";
import { createTenure } from "./tenure.ts";
import { createWake } from "./wake.ts";

export interface EngineOptions {
  readonly installation: string;
  /** The database schema of the orchestrator's tables. */
  readonly schema: string;
  readonly shards: number;
  readonly settings: SagaSettings;
  readonly kind: SagaKind;
  readonly pool: Pool;
  readonly kafka: Kafka;
  readonly codec: Codec;
  readonly log: Logger;
  readonly now: () => Date;
  readonly onStage: OnStage;
  /** How long sagas that ended are kept, with their history. */
  readonly retentionDays: number;
  /** How long an orchestrator that fell silent keeps its shards. */
  readonly sessionMs: number;
  /** Most records of one transaction. */
  readonly recordsAtOnce: number;
}

export interface Engine {
  readonly checks: Readonly<Record<string, HealthCheck>>;
  /** Rejects when the engine can't go on; the process must end then. */
  readonly failed: Promise<never>;
  /** Ends cleanly: what is under way is finished, the rest is left for the next owner. */
  stop(): Promise<void>;
}

const stopMs = 4_000;

export const startEngine = async (options: EngineOptions): Promise<Engine> => {
  const { installation, schema, pool, log } = options;
  const topics: Record<Stream, string> = {
    requests: topicName(installation, requestsTopic),
    replies: topicName(installation, repliesTopic),
  };
  const streamOf = (topic: string): Stream => (topic === topics.requests ? "requests" : "replies");
  const admin = options.kafka.admin();
  await admin.connect();
  const consumer = createConsumer(options.kafka, {
    groupId: `${installation}.saga-orchestrator`,
    mostBytesOfPartition: 256 * 1_024,
    sharded: true,
    sessionMs: options.sessionMs,
  });
  const wake = createWake();
  const failure = Promise.withResolvers<never>();
  // Whoever started the engine waits for it, perhaps not yet: until then Node would take it for an error of nobody's.
  failure.promise.catch(() => undefined);

  const ownership = createOwnership({
    topics,
    consumer,
    log,
    logEnds: (topic) => retrying(log, () => logEndsOf(admin, topic)),
    takeShards: (shards) => retrying(log, () => takeShards(pool, schema, shards)),
    beginShards: (begun) => retrying(log, () => beginShards(pool, schema, begun)),
    readShards: (shards) => retrying(log, () => readShards(pool, schema, shards)),
    onTaken: (shards) => {
      rounds.taken(shards);
      wake.now();
    },
  });
  const tenure = createTenure({
    epochs: ownership.epochs,
    areHeld: (epochs) => areHeld(pool, schema, epochs),
    onLost: (epochs) => {
      log.warn("shards lost; what waits to be sent is left to their owner");
      ownership.lose(epochs);
      intake.drop();
    },
  });
  const producer = () => createSingleTryProducer(options.kafka);
  const sender = createSender({
    producer,
    source: `/${installation}/saga-orchestrator`,
    maySend: tenure.holds,
    log,
    onStage: options.onStage,
  });
  const intake = createIntake({ streamOf, ownership, codec: options.codec, log, onArrival: wake.now });
  const rounds = createRounds({ ...options, intake, ownership, sender, confirmed: tenure.confirmed });

  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    intake.drop();
    // What waits to be sent may be another's by now; what is still ours is read from the table again.
    sender.replace([]);
    ownership.take(payload.memberAssignment[topics.requests] ?? []).catch(failure.reject);
  });
  // Whose heartbeat is answered is a member still, and has what it was assigned: where its shards were lost all the same
  // (to one that had been assigned them before and came late), no other assignment would ever come.
  consumer.on(consumer.events.HEARTBEAT, () => {
    if (!ownership.lost()) return;
    intake.drop();
    ownership.takeAgain().catch(failure.reject);
  });
  await consumer.connect();
  await consumer.subscribe({ topics: Object.values(topics), fromBeginning: true });
  const running = await runConsumer(
    consumer,
    {
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: options.shards * 2,
      eachBatch: intake.eachBatch,
    },
    { log, onLost: failure.reject },
  );

  let stopping = false;
  const loop = (async () => {
    while (!stopping) {
      if (await rounds.round()) continue;
      await wake.wait(rounds.restMs());
      // The partitions of one fetch arrive in one turn of the event loop: one transaction takes them all.
      await nextTurn();
    }
  })();
  loop.catch(failure.reject);
  const bell = startInboxBell({
    pool,
    log,
    onRows: () => {
      rounds.mail();
      wake.now();
    },
  });
  const pruning = startPruning({ ...options, ownership });
  const notes = startStopNotes({ pool, schema, ownership, log });
  const hints = startOffsetHints({
    consumer,
    topics,
    pool,
    schema,
    ownership,
    log,
    onStage: options.onStage,
  });

  return {
    failed: failure.promise,
    checks: {
      kafka: running.check,
      shards: () => {
        if (ownership.lost()) throw new Error("another orchestrator has this one's shards");
      },
      log: () => {
        const stopped = Object.entries(ownership.stopped());
        if (stopped.length > 0)
          throw new Error(stopped.map(([name, reason]) => `${name}: ${reason}`).join("; "));
      },
      outbox: () => {
        const blocked = sender.blocked();
        if (blocked !== undefined) throw new Error(blocked);
      },
      "no silent wait": () => checkNoSilentWait(pool, schema, [...ownership.epochs().keys()]),
    },
    stop: async () => {
      stopping = true;
      running.stop();
      wake.now();
      await loop;
      await bell.stop();
      hints.stop();
      notes.stop();
      pruning.stop();
      await sender.stop(stopMs);
      await rounds.last();
      intake.close();
      await leave(consumer, log);
      await admin.disconnect();
    },
  };
};

const logEndsOf = async (admin: Admin, topic: string): Promise<ReadonlyMap<number, LogEnds>> => {
  const offsets = await admin.fetchTopicOffsets(topic);
  return new Map(
    offsets.map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }]),
  );
};

/** A take-over is tried until database and broker answer: without them no batch could be read or written either. */
const retrying = async <T>(log: Logger, work: () => Promise<T>): Promise<T> => {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      log.error({ err: error }, "the shards could not be taken over; trying again");
      await delay(1_000);
    }
  }
};

const leave = async (consumer: Consumer, log: Logger): Promise<void> => {
  try {
    await Promise.race([consumer.disconnect(), delay(stopMs)]);
  } catch (error) {
    log.warn({ reason: (error as Error).message }, "the consumer did not leave its group cleanly");
  }
};

const overdueMs = 60_000;

/** Throws where a saga of ours waits for a timer that was due long ago. */
const checkNoSilentWait = async (pool: Pool, schema: string, shards: readonly number[]): Promise<void> => {
  const { rows } = await pool.query<{ sagaId: string }>(
    `SELECT saga_id AS "sagaId" FROM ${schema}.sagas
      WHERE shard = ANY ($1) AND next_due < now() - make_interval(secs => $2) LIMIT 1`,
    [shards, overdueMs / 1_000],
  );
  if (rows[0] !== undefined)
    throw new Error(`saga ${rows[0].sagaId} waits for a timer that was due over a minute ago`);
};
