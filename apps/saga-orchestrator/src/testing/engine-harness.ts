import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  headerNames,
  lifecycleTopic,
  type Message,
  requestsTopic,
  shardOf,
  slugOf,
  type TenantProvisioningRequested,
  topicName,
  topicsOf,
} from "@deeplens/contracts";
import {
  type Codec,
  connectKafka,
  createCodec,
  createConsumer,
  createProducer,
  headersOf,
  headerText,
  type Kafka,
  type Producer,
} from "@deeplens/messaging";
import type { Pool } from "@deeplens/postgres";
import { newMasterKeyLine } from "@deeplens/secrets";
import { createLogger } from "@deeplens/telemetry";
import { type CleanUp, stack, testDatabase } from "@deeplens/testing";

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

export interface LifecycleSeen {
  readonly id: string;
  readonly record: string;
  readonly slug: string;
  readonly code?: string;
  readonly requestId: string;
}

export interface Harness {
  readonly installation: string;
  readonly shards: number;
  readonly kafka: Kafka;
  readonly codec: Codec;
  readonly pool: Pool;
  readonly producer: Producer;
  readonly lifecycle: readonly LifecycleSeen[];
  /** Starts an orchestrator process; with a stage, one that ends itself by SIGKILL there. */
  orchestrator(options?: {
    killAt?: string;
    after?: number;
    settings?: Record<string, string>;
  }): Promise<Orchestrator>;
  request(
    name: string,
    over?: Partial<TenantProvisioningRequested>,
    options?: { partition?: number; source?: string },
  ): Promise<void>;
  sagas(slugs: readonly string[]): Promise<SagaRow[]>;
  /** Waits until each of these has a saga of one of these states. */
  until(slugs: readonly string[], statuses: readonly string[], withinMs?: number): Promise<SagaRow[]>;
}

export interface Orchestrator {
  readonly process: ChildProcess;
  readonly healthUrl: string;
  readonly apiUrl: string;
  readonly exited: Promise<void>;
  stop(): Promise<void>;
}

export const apiToken = "a token of the engine's tests, long enough";

/** An installation of a test's own on the real Kafka and Postgres: topics, database, processes; `after` removes it. */
export const startHarness = async (after: CleanUp, shards = 3): Promise<Harness> => {
  const services = stack();
  const installation = `t${randomBytes(4).toString("hex")}`;
  const log = createLogger("engine-tests", "fatal");
  const kafka = connectKafka(services.kafka, { clientId: "engine-tests", log });
  const codec = createCodec(installation, services.schemaRegistry.url);
  // Processes end before their topics and their database go.
  const cleanUps: (() => Promise<void>)[] = [];
  after(async () => {
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  });
  const { address, pool } = await testDatabase((work) => cleanUps.push(work));
  const admin = kafka.admin();
  const producer = createProducer(kafka);
  await Promise.all([admin.connect(), producer.connect()]);
  await codec.prepare(topicsOf());
  const lifecycle: LifecycleSeen[] = [];
  const consumer = createConsumer(kafka, { groupId: `${installation}.lifecycle` });
  const running = new Set<Orchestrator>();
  cleanUps.push(async () => {
    await Promise.all([...running].map((one) => one.stop()));
    await consumer.disconnect();
    await producer.disconnect();
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${installation}.`));
    if (topics.length > 0) await admin.deleteTopics({ topics });
    const { groups } = await admin.listGroups();
    await admin
      .deleteGroups(groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(`${installation}.`)))
      .catch((error: Error) => log.warn(error.message));
    await admin.disconnect();
  });
  let following = false;

  const harness: Harness = {
    installation,
    shards,
    kafka,
    codec,
    pool,
    producer,
    lifecycle,
    async orchestrator({ killAt = "", after: times = 1, settings = {} } = {}) {
      const [healthPort, apiPort] = await Promise.all([freePort(), freePort()]);
      const environment = {
        DEEPLENS_INSTALLATION: installation,
        LOG_LEVEL: "info",
        HEALTH_PORT: String(healthPort),
        KAFKA_BROKERS: services.kafka.brokers.join(","),
        KAFKA_USERNAME: services.kafka.username,
        KAFKA_PASSWORD: services.kafka.password,
        SCHEMA_REGISTRY_URL: services.schemaRegistry.url,
        CONTROL_DB_HOST: address.host,
        CONTROL_DB_PORT: String(address.port),
        CONTROL_DB_NAME: address.database,
        CONTROL_DB_USER: address.user,
        CONTROL_DB_PASSWORD: address.password,
        DEEPLENS_MASTER_KEY: newMasterKeyLine(),
        API_PORT: String(apiPort),
        API_TOKEN: apiToken,
        SHARDS: String(shards),
        ...quick,
        ...settings,
      };
      const child = spawn(
        process.execPath,
        [processFile, JSON.stringify(environment), killAt, String(times)],
        {
          stdio: ["ignore", "pipe", "pipe"],
        },
      );
      const logFile = createWriteStream(`/tmp/engine-test-${installation}-${child.pid}.log`);
      child.stdout.pipe(logFile);
      child.stderr.pipe(logFile);
      const exited = once(child, "exit").then(() => undefined);
      const orchestrator: Orchestrator = {
        process: child,
        healthUrl: `http://127.0.0.1:${healthPort}`,
        apiUrl: `http://127.0.0.1:${apiPort}`,
        exited,
        stop: async () => {
          running.delete(orchestrator);
          if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
          await exited;
        },
      };
      running.add(orchestrator);
      await Promise.race([exited, untilReady(orchestrator.healthUrl)]);
      if (!following && child.exitCode === null) {
        following = true;
        await follow(consumer, codec, installation, lifecycle);
      }
      return orchestrator;
    },
    async request(name, over = {}, { partition, source = "/tests" } = {}) {
      const value: TenantProvisioningRequested = {
        requestId: `request-${name}`,
        name,
        tier: "free",
        storage: { type: "deeplens", provider: null, credentialRef: null },
        administrator: { email: `admin@${slugOr(name)}.example`, firstName: "Ada", lastName: "Lovelace" },
        requestedAt: new Date().toISOString(),
        ...over,
      };
      await producer.send({
        topic: topicName(installation, requestsTopic),
        messages: [
          {
            key: slugOr(name),
            partition: partition ?? shardOf(slugOr(name), shards),
            value: codec.encode(requestsTopic, { record: "TenantProvisioningRequested", value }),
            headers: headersOf({ id: value.requestId, record: "TenantProvisioningRequested", source }),
          },
        ],
      });
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
        await delay(100);
      }
    },
  };
  return harness;
};

const processFile = fileURLToPath(new URL("./orchestrator-process.ts", import.meta.url));

/** As patient as a test can be. */
const quick = {
  BACK_OFF_MS: "50",
  BACK_OFF_MAX_MS: "500",
  WAIT_DEADLINE_MS: "30000",
  WORK_DEADLINE_MS: "30000",
  SETTLE_MS: "1000",
};

const slugOr = (name: string): string => {
  const slug = slugOf(name);
  return slug.ok ? slug.slug : name;
};

const freePort = async (): Promise<number> => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
};

const untilReady = async (healthUrl: string): Promise<void> => {
  for (let tries = 0; tries < 300; tries++) {
    try {
      if ((await fetch(`${healthUrl}/health/ready`)).ok) return;
    } catch {
      // Not listening yet.
    }
    await delay(100);
  }
};

const follow = async (
  consumer: ReturnType<typeof createConsumer>,
  codec: Codec,
  installation: string,
  seen: LifecycleSeen[],
): Promise<void> => {
  await consumer.connect();
  await consumer.subscribe({ topics: [topicName(installation, lifecycleTopic)], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      const event = (await codec.decode(message.value)) as Extract<
        Message,
        { record: `TenantProvision${"ed" | "ingFailed"}` }
      >;
      const { slug, requestId } = event.value;
      const code = event.record === "TenantProvisioningFailed" ? { code: event.value.code } : {};
      seen.push({
        id: headerText(message.headers, headerNames.id) ?? "",
        record: event.record,
        slug,
        requestId,
        ...code,
      });
    },
  });
};
