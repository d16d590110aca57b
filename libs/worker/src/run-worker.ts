import { setTimeout as delay } from "node:timers/promises";
import { commandsTopic, deadLetterTopic, repliesTopic, type StepName, topicName } from "@deeplens/contracts";
import { connectKafka, createCodec, createConsumer, createProducer, type Kafka } from "@deeplens/messaging";
import { createPool, type DatabaseAddress, type Pool } from "@deeplens/postgres";
import {
  createSecretStore,
  masterKeyOf,
  migrateSecrets,
  parseMasterKey,
  type SecretStore,
} from "@deeplens/secrets";
import {
  controlDatabaseSettings,
  type HealthCheck,
  kafkaSettings,
  longestCallMs,
  positive,
  processSettings,
  serveHealth,
  waitFor,
} from "@deeplens/service";
import type { Logger } from "@deeplens/telemetry";
import { z } from "zod";
import { aborted } from "./aborted.ts";
import { consume } from "./consume.ts";
import { createDispatcher } from "./dispatcher.ts";
import { execute } from "./execute.ts";
import { openLockSession } from "./lock-session.ts";
import { migrateWorker } from "./migrate.ts";
import { createLedgerStore } from "./postgres-ledger.ts";
import { postgresParts } from "./postgres-parts.ts";
import { startProber } from "./probing/prober.ts";
import { createReplies } from "./replies.ts";
import { createSender } from "./sender.ts";
import type { StepHandler } from "./step.ts";

// Why a command is done once, whatever dies when (rules by their numbers in PROTOCOL.md):
//
// - A command comes at least once: its offset moves only after its reply was stored by Kafka and its step row says done
//   (18). Whatever dies before that brings it again, here or in another process.
// - It comes in any order and any number of times: before any queue, one statement raises the step row to its fence
//   (11). Older is refused. Equal and done is answered with the stored reply. Equal and not done joins the handler that
//   runs here, or runs again: handlers converge.
// - Two processes never work on one part: the same statement tries the part's advisory lock, held on one session for
//   all parts (13). Whoever does not get it keeps asking. Within the process, a part has one running handler; a newer
//   command aborts it and starts when it has settled.
// - A process that hangs or is stopped keeps its lock; so an undo waits until that work's deadline and longest call
//   have passed, and ends its session. When it wakes, what it writes to ledger, leases and secrets fails by its fence;
//   calls do not start, for their deadline has passed; and it sees that its session is lost and ends. A request that had
//   left it just before it was stopped may still land: its intent stays open while it lives, and the second look does
//   not confirm before, so that the slug is given to nobody (14).
// - Where two at once can't be undone (the pivot), a do-command waits for the end of that process as well (20).
// - A lock that is lost without knowing it is no different: the process ends as soon as it knows. Where the database has
//   lost all its sessions, a free lock tells of no end: a process counts as living until it says that it ended, which is
//   the last that it does, or for LOST_WORKER_MS (migrations/0001-worker.sql).
// - A handler that does not settle ends the process: nothing else makes sure that its effects are over.
// - A reply that is sent twice bears the same fence; the orchestrator takes the first.

/** The environment that every worker reads; a worker spreads its own beside it. */
export const workerSettings = {
  ...processSettings,
  ...kafkaSettings,
  ...controlDatabaseSettings,
  DEEPLENS_MASTER_KEY: z
    .string()
    .min(1)
    .superRefine((text, context) => {
      try {
        parseMasterKey(text);
      } catch (error) {
        context.addIssue({ code: "custom", message: (error as Error).message });
      }
    }),
  DEEPLENS_MASTER_KEY_FILE: z.string().optional(),
  WORKER_CONCURRENCY: positive.default(8),
  // The modules' own limits (a statement, a request to the container engine) reach so far.
  LONGEST_CALL_MS: positive.min(longestCallMs).default(longestCallMs),
  LOST_WORKER_MS: positive.default(3_600_000),
};

export type WorkerConfig = z.infer<z.ZodObject<typeof workerSettings>>;

/** What a worker builds once its services answer. */
export interface WorkerParts {
  readonly handler: StepHandler;
  /** Its own services, by name, for /health/ready. */
  readonly checks: Readonly<Record<string, HealthCheck>>;
  close?(): Promise<void>;
}

/** What runWorker hands to a worker's own wiring. */
export interface WorkerDependencies {
  readonly installation: string;
  readonly pool: Pool;
  readonly secrets: SecretStore;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface WorkerOptions {
  readonly step: StepName;
  readonly config: WorkerConfig;
  readonly log: Logger;
  readonly signal: AbortSignal;
  create(dependencies: WorkerDependencies): Promise<WorkerParts>;
  /**
   * A do-command waits for the end of an earlier process whose work on the part may still have an effect: where two at
   * once can't be undone.
   */
  readonly alone?: boolean;
}

// A stop must be over within 10 s: handlers get this long to end by themselves, and a little to settle.
const graceMs = 5_000;
// A process that must end does not wait long for the farewells.
const farewellMs = 1_000;
// But where its own lock was lost with the database's sessions, its end must be said, or others wait for it: without that
// database it could do nothing else anyway.
const lastWordsMs = 300_000;

/**
 * Makes a step handler a worker process; returns when the signal is aborted and nothing is under way any more.
 *
 * @throws when the process must end: its locks were lost, its step rows can't be written, a handler did not settle
 */
export const runWorker = async (options: WorkerOptions): Promise<void> => {
  const failure = Promise.withResolvers<never>();
  // The race below hears of it; a failure that comes after it is over changes nothing.
  failure.promise.catch(() => undefined);
  const [abandoning, hanging] = [new AbortController(), new AbortController()];
  const because = (error: unknown): void => {
    abandoning.abort(error);
    failure.reject(error);
  };
  const ending: Ending = {
    ...{ signal: abandoning.signal, because },
    hangs: (error) => {
      hanging.abort();
      because(error);
    },
    lastWords: async () => undefined,
  };
  const cleanUps: (() => Promise<unknown>)[] = [];
  const awaited: Awaited = { service: "the health server" };
  const checks: Record<string, HealthCheck> = {
    start: () => {
      throw new Error(`waiting for ${awaited.service}`);
    },
  };
  const health = await serveHealth({
    host: options.config.HEALTH_HOST,
    port: options.config.HEALTH_PORT,
    checks,
  });
  options.log.info({ port: health.port }, "answers /health/live and /health/ready");
  try {
    await Promise.race([run(options, { checks, awaited }, cleanUps, ending), failure.promise]);
  } finally {
    checks.end = () => {
      throw new Error("it ends");
    };
    await Promise.race([endAll(cleanUps, options.log), delay(farewellMs, undefined, { ref: false })]);
    const limit = AbortSignal.timeout(lastWordsMs);
    await ending.lastWords(AbortSignal.any([options.signal, hanging.signal, limit]));
    await Promise.race([health.close(), delay(farewellMs, undefined, { ref: false })]);
  }
};

/** How a process ends that can't go on. */
interface Ending {
  /** Aborted when it must. */
  readonly signal: AbortSignal;
  because(error: unknown): void;
  /** It must, and a handler of its did not settle: nobody may be told that nothing more comes. */
  hangs(error: unknown): void;
  /** What it says when all else has ended. */
  lastWords(signal: AbortSignal): Promise<void>;
}

const endAll = async (cleanUps: readonly (() => Promise<unknown>)[], log: Logger): Promise<void> => {
  for (const cleanUp of cleanUps.toReversed())
    await cleanUp().catch((error: Error) =>
      log.info({ reason: error.message }, "a connection did not end well"),
    );
};

/** What a worker that starts waits for now: /health/ready names it. */
interface Awaited {
  service: string;
}

const run = async (
  options: WorkerOptions,
  { checks, awaited }: { checks: Record<string, HealthCheck>; awaited: Awaited },
  cleanUps: (() => Promise<unknown>)[],
  ending: Ending,
): Promise<void> => {
  const { step, config, log, signal, alone = false } = options;
  const callMs = config.LONGEST_CALL_MS;
  const installation = config.DEEPLENS_INSTALLATION;
  const name = `${step}-worker`;
  const wait = <T>(service: string, attempt: () => Promise<T>): Promise<T> => {
    awaited.service = service;
    return waitFor(service, attempt, { log, signal });
  };

  const address = databaseAddress(config);
  const pool = createPool(address, { name, log, size: Math.min(20, config.WORKER_CONCURRENCY + 2) });
  cleanUps.push(() => pool.end());
  await wait("the control database", () => migrateAll(pool));
  const session = await wait("the session for locks", () =>
    openLockSession(address, { name, lostMs: config.LOST_WORKER_MS, log }),
  );
  cleanUps.push(() => session.close());
  session.lost.catch(ending.because);
  ending.lastWords = (until) => session.sayEnded(Promise.resolve(), until);

  const secrets = createSecretStore(pool, masterKeyOf(config));
  awaited.service = "the services of its step";
  const parts = await options.create({ installation, pool, secrets, log, signal });
  cleanUps.push(async () => parts.close?.());

  const kafka = connectKafka(
    { brokers: config.KAFKA_BROKERS, username: config.KAFKA_USERNAME, password: config.KAFKA_PASSWORD },
    { clientId: `${installation}-${name}`, log },
  );
  const shards = await wait("Kafka and its topics", () => shardsOf(kafka, installation, step));
  const codec = createCodec(installation, config.SCHEMA_REGISTRY_URL);
  await wait("the schema registry", () => codec.prepare([repliesTopic]));
  const sender = await wait("Kafka to take replies", () => createSender(() => connectedProducer(kafka), log));
  cleanUps.push(() => sender.close());

  const replies = createReplies({ installation, part: step, shards, codec, sender });
  const ledger = createLedgerStore(pool, session.processId);
  const dispatcher = createDispatcher({
    parts: postgresParts(session, step, callMs),
    replies,
    log,
    concurrency: config.WORKER_CONCURRENCY,
    fatal: ending.because,
    execute: (order) =>
      execute(order, {
        installation,
        handler: parts.handler,
        ...{ ledger, secrets, log, alone },
        fatal: ending.hangs,
        ...{ callMs, settleMs: callMs },
        progress: (reply) => void replies.send(order.slug, replies.encode(order, reply)).catch(unheard),
      }),
  });
  ending.signal.addEventListener("abort", dispatcher.abandon);
  ending.lastWords = (until) => session.sayEnded(dispatcher.settled(), until);
  const consumption = await wait("Kafka to give commands", () => {
    const consumer = createConsumer(kafka, {
      groupId: `${installation}.${name}`,
      mostBytesOfPartition: 64 * 1_024,
      sessionMs: 10_000,
    });
    cleanUps.push(() => consumer.disconnect());
    return consume({
      consumer,
      ...{ installation, step, codec, sender, log, shards },
      arrive: dispatcher.arrive,
      fatal: ending.because,
      mostUnfinished: Math.max(256, config.WORKER_CONCURRENCY * 64),
    });
  });

  const { probe } = parts.handler.operations ?? {};
  if (probe !== undefined) {
    const prober = startProber({ installation, step, probe, pool, address, ledger, secrets, log });
    cleanUps.push(() => prober.stop());
  }

  delete checks.start;
  checks.kafka = consumption.check;
  checks["control-database"] = async () => void (await pool.query("SELECT 1"));
  Object.assign(checks, parts.checks);
  log.info({ concurrency: config.WORKER_CONCURRENCY, shards }, "takes commands");

  await aborted(signal);
  consumption.pause();
  await dispatcher.stop(graceMs);
  await sender.flush();
  await consumption.close();
};

// A progress is told while the process lives: the sender tries for ever, and only its end rejects.
const unheard = (): void => undefined;

const databaseAddress = (config: WorkerConfig): DatabaseAddress => ({
  host: config.CONTROL_DB_HOST,
  port: config.CONTROL_DB_PORT,
  database: config.CONTROL_DB_NAME,
  user: config.CONTROL_DB_USER,
  password: config.CONTROL_DB_PASSWORD,
});

const migrateAll = async (pool: Pool): Promise<void> => {
  await migrateWorker(pool);
  await migrateSecrets(pool);
};

const connectedProducer = async (kafka: Kafka) => {
  const producer = createProducer(kafka);
  await producer.connect();
  return producer;
};

/** How many partitions the topics have; throws until they are there. */
const shardsOf = async (kafka: Kafka, installation: string, step: StepName): Promise<number> => {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const replies = topicName(installation, repliesTopic);
    const commands = commandsTopic(step);
    const wanted = [
      replies,
      topicName(installation, commands),
      topicName(installation, deadLetterTopic(commands)),
    ];
    const there = new Set(await admin.listTopics());
    const missing = wanted.filter((topic) => !there.has(topic));
    if (missing.length > 0) throw new Error(`topics ${missing.join(", ")} are not there yet`);
    const { topics } = await admin.fetchTopicMetadata({ topics: [replies] });
    return topics[0]?.partitions.length ?? 0;
  } finally {
    await admin.disconnect();
  }
};
