import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  requestsTopic,
  shardOf,
  slugOf,
  storageRequestOf,
  type TenantProvisioningRequested,
  type Topic,
  topicName,
  topicsOf,
} from "@deeplens/contracts";
import {
  type Admin,
  type Codec,
  connectKafka,
  createCodec,
  createProducer,
  ensureTopics,
  headersOf,
  type Kafka,
  type KafkaRecord,
  type Producer,
} from "@deeplens/messaging";
import type { Pool } from "@deeplens/postgres";
import { newMasterKeyLine } from "@deeplens/secrets";
import { createLogger } from "@deeplens/telemetry";
import {
  type CleanUp,
  processEnvironment,
  removeTopicsAndGroups,
  stack,
  testDatabase,
} from "@deeplens/testing";
import { eventually } from "./eventually.ts";
import { followLifecycle, type LifecycleSeen } from "./lifecycle-follower.ts";
import { type Ambush, type Orchestrator, startOrchestrator } from "./orchestrators.ts";
import { type ScriptedWorker, type ScriptOptions, startScriptedWorker } from "./scripted-worker.ts";
import { type ReadRecord, readTopic } from "./topic-reader.ts";

export interface SagaRow {
  readonly sagaId: string;
  readonly slug: string;
  readonly status: string;
  readonly steps: Readonly<
    Record<string, { fence: number; attempts: Record<string, number>; error?: { code: string } }>
  >;
  readonly snapshot: { value: Record<string, string> };
  readonly error: { code: string; message: string } | null;
}

interface RequestOptions {
  /** Where it is sent; its slug's shard unless told. */
  readonly partition?: number;
  readonly source?: string;
}

export interface Harness {
  readonly installation: string;
  readonly shards: number;
  readonly kafka: Kafka;
  readonly codec: Codec;
  readonly pool: Pool;
  readonly producer: Producer;
  readonly admin: Admin;
  readonly lifecycle: readonly LifecycleSeen[];
  /** Starts an orchestrator process and waits until it is ready, or has ended. */
  orchestrator(options?: {
    ambush?: Ambush;
    settings?: Record<string, string>;
    untilReady?: boolean;
  }): Promise<Orchestrator>;
  worker(options: ScriptOptions): Promise<ScriptedWorker>;
  /** What a topic holds, from its beginning on. */
  read(topic: Topic): Promise<readonly ReadRecord[]>;
  /** Called when the tests have ended, before the topics and the database go. */
  cleanUp(work: () => Promise<void>): void;
  requestRecord(
    name: string,
    over?: Partial<TenantProvisioningRequested>,
    options?: RequestOptions,
  ): KafkaRecord;
  request(name: string, over?: Partial<TenantProvisioningRequested>, options?: RequestOptions): Promise<void>;
  /** One request for each of these, sent together. */
  requests(names: readonly string[]): Promise<void>;
  sagas(slugs: readonly string[]): Promise<SagaRow[]>;
  /** Waits until each of these has a saga of one of these states. */
  until(slugs: readonly string[], statuses: readonly string[], withinMs?: number): Promise<SagaRow[]>;
}

export const apiToken = "the-token-of-the-engines-tests";
/** The shortest that Kafka grants: a process that was killed keeps its shards for that long. */
export const sessionMs = 6_000;

/**
 * An installation of a test's own on the real Kafka and Postgres: topics, database, processes; `after` removes it. The
 * processes' logs stay in the system's temporary folder where a test failed.
 */
export const startHarness = async (after: CleanUp, shards = 3): Promise<Harness> => {
  const installation = `t${randomBytes(4).toString("hex")}`;
  const logFolder = await mkdtemp(join(tmpdir(), `engine-test-${installation}-`));
  let failed = false;
  afterEach((context) => {
    if ("passed" in context && !context.passed) failed = true;
  });
  // Processes and workers end before their topics and their database go.
  const cleanUps: (() => Promise<void>)[] = [];
  const end = async (): Promise<void> => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
    if (!failed) await rm(logFolder, { recursive: true });
  };
  try {
    const harness = await build(installation, shards, logFolder, cleanUps);
    after(end);
    return harness;
  } catch (error) {
    await end();
    throw error;
  }
};

const build = async (
  installation: string,
  shards: number,
  logFolder: string,
  cleanUps: (() => Promise<void>)[],
): Promise<Harness> => {
  const services = stack();
  const log = createLogger("engine-tests", "fatal");
  const kafka = connectKafka(services.kafka, { clientId: "engine-tests", log });
  const codec = createCodec(installation, services.schemaRegistry.url);
  const { address, pool } = await testDatabase((work) => cleanUps.push(work));
  const admin = kafka.admin();
  const producer = createProducer(kafka);
  await Promise.all([admin.connect(), producer.connect()]);
  cleanUps.push(async () => {
    await producer.disconnect();
    await removeTopicsAndGroups(admin, `${installation}.`);
    await admin.disconnect();
  });
  await codec.prepare(topicsOf());
  // Brokers learn of a topic some time after the controller made it.
  await eventually(() => ensureTopics(admin, installation, topicsOf(), { shards }));
  const lifecycle = await followLifecycle(kafka, codec, installation);
  cleanUps.push(lifecycle.stop);
  const running: Orchestrator[] = [];
  cleanUps.push(async () => {
    await Promise.all(running.map((one) => one.stop()));
  });
  const environment = {
    ...processEnvironment(installation, address),
    LOG_LEVEL: "info",
    DEEPLENS_MASTER_KEY: newMasterKeyLine(),
    API_TOKEN: apiToken,
    SHARDS: String(shards),
    ...quick,
  };

  const harness: Harness = {
    installation,
    shards,
    kafka,
    codec,
    pool,
    producer,
    admin,
    lifecycle: lifecycle.seen,
    async orchestrator({ settings = {}, ...options } = {}) {
      const orchestrator = await startOrchestrator(
        { ...environment, ...settings },
        { logFolder, ...options },
      );
      running.push(orchestrator);
      return orchestrator;
    },
    async worker(options) {
      const worker = await startScriptedWorker({ kafka, codec, installation, shards, ...options });
      cleanUps.push(worker.stop);
      return worker;
    },
    async read(topic) {
      const reader = await readTopic(kafka, installation, topicName(installation, topic));
      cleanUps.push(reader.stop);
      return reader.records;
    },
    cleanUp: (work) => void cleanUps.push(work),
    requestRecord(name, over = {}, { partition, source = "/tests" } = {}) {
      const value: TenantProvisioningRequested = {
        requestId: `request-${name}`,
        name,
        tier: "free",
        storage: storageRequestOf({ type: "deeplens" }),
        administrator: { email: `admin@${slugOr(name)}.example`, firstName: "Ada", lastName: "Lovelace" },
        requestedAt: new Date().toISOString(),
        ...over,
      };
      return {
        key: slugOr(name),
        partition: partition ?? shardOf(slugOr(name), shards),
        value: codec.encode(requestsTopic, { record: "TenantProvisioningRequested", value }),
        headers: headersOf({ id: value.requestId, record: "TenantProvisioningRequested", source }),
      };
    },
    async request(name, over, options) {
      const topic = topicName(installation, requestsTopic);
      await producer.send({ topic, messages: [harness.requestRecord(name, over, options)] });
    },
    async requests(names) {
      const topic = topicName(installation, requestsTopic);
      await producer.send({ topic, messages: names.map((name) => harness.requestRecord(name)) });
    },
    async sagas(slugs) {
      const { rows } = await pool.query<SagaRow>(
        `SELECT saga_id AS "sagaId", slug, status, steps, snapshot, error FROM orchestrator.sagas WHERE slug = ANY ($1)`,
        [slugs],
      );
      return rows;
    },
    async until(slugs, statuses, withinMs = 30_000) {
      const endMs = Date.now() + withinMs;
      for (;;) {
        // Tests take the database away too: asked again until the time is over.
        const rows = await harness.sagas(slugs).catch(() => []);
        const there = new Set(rows.filter(({ status }) => statuses.includes(status)).map(({ slug }) => slug));
        if (there.size === new Set(slugs).size) return rows;
        if (Date.now() > endMs) {
          const missing = slugs.filter((slug) => !there.has(slug)).slice(0, 5);
          const states = rows
            .filter(({ slug }) => missing.includes(slug))
            .map(({ slug, status, snapshot }) => ({ slug, status, ...snapshot.value }));
          throw new Error(
            `${slugs.length - there.size} of ${slugs.length} sagas are not ${statuses.join(" or ")} after ${withinMs} ms: ${missing.join(", ")}; ${JSON.stringify(states)}`,
          );
        }
        await delay(50);
      }
    },
  };
  return harness;
};

/** As patient as a test can be. */
const quick = {
  BACK_OFF_MS: "50",
  BACK_OFF_MAX_MS: "500",
  WAIT_DEADLINE_MS: "60000",
  WORK_DEADLINE_MS: "60000",
  SETTLE_MS: "500",
  LONGEST_CALL_MS: "200",
  GROUP_SESSION_MS: String(sessionMs),
};

const slugOr = (name: string): string => {
  const slug = slugOf(name);
  return slug.ok ? slug.slug : name;
};
