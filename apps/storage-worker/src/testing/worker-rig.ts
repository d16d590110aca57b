import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  type Command,
  commandsTopic,
  deadLetterTopic,
  type Reply,
  repliesTopic,
  shardOf,
  topicName,
} from "@deeplens/contracts";
import { connectKafka, createCodec, createProducer, ensureTopics } from "@deeplens/messaging";
import { createSecretStore, newMasterKeyLine } from "@deeplens/secrets";
import { createLogger } from "@deeplens/telemetry";
import { stack, testDatabase } from "@deeplens/testing";
import type { StorageTenant } from "./storage-tenant.ts";

const shards = 2;
const main = fileURLToPath(new URL("../main.ts", import.meta.url));
const commands = commandsTopic("storage");

export type WorkerRig = Awaited<ReturnType<typeof workerRig>>;

/** The worker as a process, in an installation of a test file's own on the test installation's services. */
export const workerRig = async (after: (work: () => Promise<void>) => void) => {
  const installation = `st${randomBytes(4).toString("hex")}`;
  const { pool, address: database } = await testDatabase(after);
  const { kafka: address, schemaRegistry, minio } = stack();
  const kafka = connectKafka(address, { clientId: installation, log: createLogger("test", "silent") });
  const [admin, producer] = [kafka.admin(), createProducer(kafka)];
  const ears = kafka.consumer({ groupId: `${installation}.ears`, maxWaitTimeInMs: 100 });
  await Promise.all([admin.connect(), producer.connect(), ears.connect()]);
  after(async () => {
    await Promise.all([ears.disconnect(), producer.disconnect()]);
    const topics = (await admin.listTopics()).filter((name) => name.startsWith(`${installation}.`));
    await admin.deleteTopics({ topics });
    const { groups } = await admin.listGroups();
    const own = groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(`${installation}.`));
    await admin.deleteGroups(own).catch(() => undefined);
    await admin.disconnect();
  });
  await ensureTopics(admin, installation, [commands, repliesTopic, deadLetterTopic(commands)], { shards });
  const codec = createCodec(installation, schemaRegistry.url);
  await codec.prepare([commands, repliesTopic]);
  const replies: Reply[] = [];
  await ears.subscribe({ topics: [topicName(installation, repliesTopic)], fromBeginning: true });
  await ears.run({
    autoCommit: false,
    eachMessage: async ({ message }) => void replies.push((await codec.decode(message.value)) as Reply),
  });

  const folder = await mkdtemp(join(tmpdir(), "storage-worker-"));
  after(() => rm(folder, { recursive: true }));
  const fileOf = async (name: string, content: string): Promise<string> => {
    await writeFile(join(folder, name), content, { mode: 0o600 });
    return join(folder, name);
  };
  const masterKey = newMasterKeyLine();
  const environment = {
    DEEPLENS_INSTALLATION: installation,
    LOG_LEVEL: "trace",
    HEALTH_PORT: "0",
    KAFKA_BROKERS: address.brokers.join(","),
    KAFKA_USERNAME: address.username,
    KAFKA_PASSWORD_FILE: await fileOf("kafka", address.password),
    SCHEMA_REGISTRY_URL: schemaRegistry.url,
    CONTROL_DB_HOST: database.host,
    CONTROL_DB_PORT: String(database.port),
    CONTROL_DB_NAME: database.database,
    CONTROL_DB_USER: database.user,
    CONTROL_DB_PASSWORD_FILE: await fileOf("control", database.password),
    DEEPLENS_MASTER_KEY_FILE: await fileOf("master", masterKey),
    MINIO_ENDPOINT: minio.endpoint,
    MINIO_ROOT_USER: minio.rootUser,
    MINIO_ROOT_PASSWORD_FILE: await fileOf("minio", minio.password),
  };

  const head = ({ tenant }: StorageTenant, fence: number, workMs: number) => ({
    ...{ sagaId: randomUUID(), step: "storage", fence, attempt: 1, workMs },
    ...{ tenantId: tenant.tenantId, slug: tenant.slug, name: tenant.name },
    expiresAt: new Date(Date.now() + 120_000).toISOString(),
  });
  const send = async ({ tenant }: StorageTenant, command: Command): Promise<void> => {
    const partition = shardOf(tenant.slug, shards);
    const value = codec.encode(commands, command);
    await producer.send({
      topic: topicName(installation, commands),
      messages: [{ key: tenant.slug, value, partition }],
    });
  };
  return {
    ...{ installation, pool, replies, environment },
    /** What may stand in no log and no message. */
    passwords: [masterKey, minio.password, address.password, database.password],
    secrets: createSecretStore(pool, masterKey),
    provision: (to: StorageTenant, fence: number, workMs = 20_000) =>
      send(to, {
        record: "TenantRequested",
        value: {
          ...head(to, fence, workMs),
          ...{ tier: to.command.tier, storageType: "deeplens", inputs: {} },
          administrator: to.command.administrator,
        },
      }),
    undo: (to: StorageTenant, fence: number, purpose = "compensate") =>
      send(to, {
        record: "TenantRollbackRequested",
        value: { ...head(to, fence, 20_000), purpose, reason: "a test" },
      }),
    /** Waits for the answer to the tenant's command of that fence. */
    answer: async ({ tenant }: StorageTenant, fence: number, withinMs = 30_000): Promise<Reply> => {
      for (const until = Date.now() + withinMs; Date.now() < until; await delay(50)) {
        const reply = replies.find(
          ({ record, value }) =>
            record !== "StepProgressed" && value.slug === tenant.slug && value.fence === fence,
        );
        if (reply !== undefined) return reply;
      }
      throw new Error(`no answer to the command of fence ${fence} for ${tenant.slug} in ${withinMs} ms`);
    },
    start: (changes: Record<string, string> = {}) => {
      const started = startWorker({ ...environment, ...changes });
      after(async () => void started.child.kill("SIGKILL"));
      return started;
    },
  };
};

/** The worker with this environment and no other. */
export const startWorker = (env: Record<string, string>) => {
  let log = "";
  const child: ChildProcess = spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (bytes: Buffer) => {
      log += bytes.toString();
    });
  const exited = once(child, "exit").then(([code]) => code as number | null);
  return { child, exited, log: () => log };
};
