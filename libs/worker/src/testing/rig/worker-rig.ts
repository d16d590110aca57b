import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  type Command,
  commandsTopic,
  deadLetterTopic,
  headerNames,
  type Reply,
  repliesTopic,
  type Slug,
  type StepName,
  shardOf,
  type TenantId,
  tenantIdOf,
  topicName,
} from "@deeplens/contracts";
import {
  type Codec,
  connectKafka,
  createCodec,
  createProducer,
  ensureTopics,
  type Kafka,
  type KafkaMessage,
  type Producer,
} from "@deeplens/messaging";
import { newMasterKeyLine } from "@deeplens/secrets";
import { createLogger } from "@deeplens/telemetry";
import { type CleanUp, stack, type TestDatabase, testDatabase } from "@deeplens/testing";
import { migrateWorker } from "../../migrate.ts";
import type { WorkerConfig } from "../../run-worker.ts";

export const shards = 3;
export const step: StepName = "storage";

export interface TestTenant {
  readonly slug: Slug;
  readonly tenantId: TenantId;
}

export interface Heard {
  readonly partition: number;
  readonly headers: KafkaMessage["headers"];
  readonly reply: Reply;
}

/** An installation of a test file's own on the running test installation's Kafka and Postgres. */
export interface WorkerRig {
  readonly installation: string;
  readonly database: TestDatabase;
  readonly config: WorkerConfig;
  readonly kafka: Kafka;
  readonly codec: Codec;
  readonly producer: Producer;
  /** Where the fixture step makes its files, a folder a tenant. */
  readonly folder: string;
  readonly topics: { readonly commands: string; readonly replies: string; readonly deadLetters: string };
  /** A new tenant, of that shard where it matters. */
  tenant(shard?: number): TestTenant;
  provision(tenant: TestTenant, fence: number, options?: CommandOptions): Command;
  undo(tenant: TestTenant, fence: number, options?: CommandOptions): Command;
  /** `step` is the saga's word for it; `sagaId` a fresh one unless told. */
  operate(
    tenant: TestTenant,
    fence: number,
    operation: string,
    options?: CommandOptions & { readonly sagaId?: string },
  ): Command;
  send(...commands: readonly Command[]): Promise<void>;
  sendRaw(tenant: TestTenant, value: Buffer | null): Promise<void>;
  /** Every reply so far. */
  readonly heard: readonly Heard[];
  /** Waits for a reply of that fence that is not a progress. */
  answer(tenant: TestTenant, fence: number, withinMs?: number): Promise<Reply>;
  /** Starts a worker process of its own with the fixture step; `until` what it logged matches. */
  spawn(options?: { alone?: boolean; config?: Partial<WorkerConfig> }): Promise<Spawned>;
  /** What lies in the dead letters, once there are so many. */
  deadLetters(count: number): Promise<readonly KafkaMessage[]>;
  /** The group's committed offset of the tenant's partition; -1 where nothing was committed. */
  committed(tenant: TestTenant): Promise<number>;
}

export interface CommandOptions {
  readonly workMs?: number;
  readonly expiresInMs?: number;
  readonly purpose?: string;
}

export interface Spawned {
  readonly child: ChildProcess;
  readonly pid: number;
  /** What it logged, one JSON text a line. */
  readonly lines: readonly string[];
  logged(pattern: RegExp, withinMs?: number): Promise<void>;
  readonly exited: Promise<number | string>;
  /** Asks it to stop, and gives its exit code. */
  stop(): Promise<number | string>;
}

export const workerRig = async (after: CleanUp): Promise<WorkerRig> => {
  const { kafka: address, schemaRegistry } = stack();
  const log = createLogger("tests", "silent");
  const installation = `wt-${randomBytes(4).toString("hex")}`;
  const database = await testDatabase(after);
  await migrateWorker(database.pool);
  const kafka = connectKafka(address, { clientId: installation, log });
  const folder = await mkdtemp(join(tmpdir(), "worker-rig-"));
  const commands = commandsTopic(step);
  const topics = {
    commands: topicName(installation, commands),
    replies: topicName(installation, repliesTopic),
    deadLetters: topicName(installation, deadLetterTopic(commands)),
  };
  const admin = kafka.admin();
  await admin.connect();
  await ensureTopics(admin, installation, [commands, repliesTopic, deadLetterTopic(commands)], { shards });
  const codec = createCodec(installation, schemaRegistry.url);
  await codec.prepare([commands, repliesTopic]);
  const producer = createProducer(kafka);
  await producer.connect();

  const heard: Heard[] = [];
  const consumer = kafka.consumer({ groupId: `${installation}.ears`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topics.replies], fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      const reply = (await codec.decode(message.value)) as Reply;
      heard.push({ partition, headers: message.headers, reply });
    },
  });
  after(async () => {
    await consumer.disconnect();
    await producer.disconnect();
    await admin.deleteTopics({ topics: Object.values(topics) });
    const { groups } = await admin.listGroups();
    const own = groups.filter(({ groupId }) => groupId.startsWith(`${installation}.`));
    // A worker that was killed stays a member until its session is over; Kafka forgets its group later.
    await admin.deleteGroups(own.map(({ groupId }) => groupId)).catch(() => undefined);
    await admin.disconnect();
    await rm(folder, { recursive: true, force: true });
  });

  const config: WorkerConfig = {
    DEEPLENS_INSTALLATION: installation,
    LOG_LEVEL: "info",
    HEALTH_HOST: "127.0.0.1",
    HEALTH_PORT: 0,
    KAFKA_BROKERS: [...address.brokers],
    KAFKA_USERNAME: address.username,
    KAFKA_PASSWORD: address.password,
    SCHEMA_REGISTRY_URL: schemaRegistry.url,
    CONTROL_DB_HOST: database.address.host,
    CONTROL_DB_PORT: database.address.port,
    CONTROL_DB_NAME: database.address.database,
    CONTROL_DB_USER: database.address.user,
    CONTROL_DB_PASSWORD: database.address.password,
    DEEPLENS_MASTER_KEY: newMasterKeyLine(),
    WORKER_CONCURRENCY: 8,
    LONGEST_CALL_MS: 30_000,
    LOST_WORKER_MS: 3_600_000,
  };

  const send = async (tenant: TestTenant, value: Buffer | null, headers: Record<string, string>) => {
    await producer.send({
      topic: topics.commands,
      acks: -1,
      messages: [{ key: tenant.slug, value, headers, partition: shardOf(tenant.slug, shards) }],
    });
  };
  const head = (tenant: TestTenant, fence: number, options: CommandOptions) => ({
    ...{ sagaId: randomUUID(), step, fence, attempt: 1, name: tenant.slug },
    ...{ tenantId: tenant.tenantId, slug: tenant.slug },
    workMs: options.workMs ?? 20_000,
    expiresAt: new Date(Date.now() + (options.expiresInMs ?? 30_000)).toISOString(),
  });

  return {
    ...{ installation, database, config, kafka, codec, producer, folder, topics, heard },
    tenant: (shard) => {
      for (;;) {
        const slug = `t-${randomBytes(5).toString("hex")}` as Slug;
        if (shard !== undefined && shardOf(slug, shards) !== shard) continue;
        return { slug, tenantId: tenantIdOf("tests", slug) };
      }
    },
    provision: (tenant, fence, options = {}) => ({
      record: "TenantRequested",
      value: {
        ...head(tenant, fence, options),
        tier: "free",
        storageType: "deeplens",
        storage: null,
        administrator: { email: "a@b.test", firstName: "A", lastName: "B" },
        inputs: {},
      },
    }),
    undo: (tenant, fence, options = {}) => ({
      record: "TenantRollbackRequested",
      value: { ...head(tenant, fence, options), purpose: options.purpose ?? "compensate", reason: "a test" },
    }),
    operate: (tenant, fence, operation, { sagaId, ...options } = {}) => ({
      record: "TenantOperationRequested",
      value: {
        ...head(tenant, fence, options),
        ...{ step: `${operation}-${step}`, operation, parameters: {}, inputs: {} },
        ...{ tier: "free", storageType: "deeplens" },
        ...(sagaId === undefined ? {} : { sagaId }),
      },
    }),
    send: async (...sent) => {
      await producer.send({
        topic: topics.commands,
        acks: -1,
        messages: sent.map((command) => ({
          key: command.value.slug,
          value: codec.encode(commands, command),
          headers: { [headerNames.fence]: String(command.value.fence) },
          partition: shardOf(command.value.slug, shards),
        })),
      });
    },
    sendRaw: (tenant, value) => send(tenant, value, { from: "a test" }),
    answer: (tenant, fence, withinMs = 20_000) =>
      eventually(
        `an answer to ${tenant.slug} ${fence}`,
        () =>
          heard.find(
            ({ reply }) =>
              reply.record !== "StepProgressed" &&
              reply.value.slug === tenant.slug &&
              reply.value.fence === fence,
          )?.reply,
        withinMs,
      ),
    deadLetters: async (count) => {
      const found: KafkaMessage[] = [];
      const reader = kafka.consumer({ groupId: `${installation}.${randomUUID()}`, maxWaitTimeInMs: 100 });
      await reader.connect();
      await reader.subscribe({ topics: [topics.deadLetters], fromBeginning: true });
      await reader.run({ autoCommit: false, eachMessage: async ({ message }) => void found.push(message) });
      try {
        await eventually(`${count} dead letters`, () => found.length >= count || undefined);
      } finally {
        await reader.disconnect();
      }
      return found;
    },
    committed: async ({ slug }) => {
      const groupId = `${installation}.${step}-worker`;
      const [topic] = await admin.fetchOffsets({ groupId, topics: [topics.commands] });
      const own = topic?.partitions.find(({ partition }) => partition === shardOf(slug, shards));
      return Number(own?.offset ?? -1);
    },
    spawn: async ({ alone = false, config: changes = {} } = {}) => {
      const file = join(folder, `${randomUUID()}.json`);
      await writeFile(file, JSON.stringify({ ...config, ...changes }), { mode: 0o600 });
      const main = fileURLToPath(new URL("fixture-worker.ts", import.meta.url));
      const child = spawn(process.execPath, [main, file, folder, alone ? "alone" : ""], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      const exited = new Promise<number | string>((resolve) =>
        child.once("exit", (code, signal) => resolve(signal ?? code ?? 0)),
      );
      const lines: string[] = [];
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (bytes: Buffer) => void lines.push(...bytes.toString().split("\n")));
      after(async () => {
        if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
        await exited;
      });
      const spawned: Spawned = {
        ...{ child, lines, exited, pid: child.pid ?? 0 },
        stop: () => {
          child.kill("SIGTERM");
          return exited;
        },
        logged: async (pattern, withinMs = 20_000) => {
          await eventually(
            `${pattern} in the log:\n${lines.join("\n")}`,
            () => lines.find((line) => pattern.test(line)),
            withinMs,
          );
        },
      };
      await spawned.logged(/joined the group/);
      return spawned;
    },
  };
};

/** Looks every 20 ms until there is something. */
export const eventually = async <T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  withinMs = 10_000,
): Promise<NonNullable<T>> => {
  for (const began = Date.now(); ; await delay(20)) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found as NonNullable<T>;
    if (Date.now() - began > withinMs) throw new Error(`waited ${withinMs} ms for ${what}`);
  }
};
