import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  type Command,
  commandsTopic,
  deadLetterTopic,
  type Reply,
  repliesTopic,
  requestOfModel,
  type StepName,
  type StorageModel,
  shardOf,
  type TenantRequested,
  topicName,
} from "@deeplens/contracts";
import { connectKafka, createCodec, createProducer, ensureTopics } from "@deeplens/messaging";
import {
  createSecretStore,
  migrateSecrets,
  newMasterKeyLine,
  type PostgresSecretStore,
} from "@deeplens/secrets";
import { createLogger } from "@deeplens/telemetry";
import type { CleanUps } from "../clean-ups.ts";
import { processEnvironment } from "../environment.ts";
import { stack } from "../stack.ts";
import { type TestDatabase, testDatabase } from "../test-database.ts";
import { startProcess, type WorkerProcess } from "./worker-process.ts";

const shards = 2;
// Longer than a busy machine keeps a command waiting.
const expiresMs = 120_000;

/** Whom a command is for, and what it is to do, in the words of the workers. */
export interface RigTenant {
  readonly tenantId: string;
  readonly slug: string;
  readonly name: string;
}
export interface RigCommand extends Pick<TenantRequested, "tier" | "administrator" | "inputs"> {
  readonly tenant: RigTenant;
  readonly storage: StorageModel;
}

/** A worker's whole process, in an installation of a test file's own on the test installation's services. */
export interface WorkerRig {
  readonly installation: string;
  readonly database: TestDatabase;
  /** The tenants' secrets, as the process stores them. */
  readonly secrets: PostgresSecretStore;
  readonly environment: Readonly<Record<string, string>>;
  /** Every reply so far. */
  readonly replies: readonly Reply[];
  provision(
    command: RigCommand,
    options: { readonly fence: number; readonly workMs?: number },
  ): Promise<void>;
  undo(tenant: RigTenant, options: { readonly fence: number; readonly purpose?: string }): Promise<void>;
  /** Waits for the reply, no mere progress, to the tenant's command of that fence. */
  answer(tenant: RigTenant, fence: number, withinMs?: number): Promise<Reply>;
  /** Starts a process that ends with the tests at the latest; `changes` to its environment. */
  start(changes?: Readonly<Record<string, string>>): WorkerProcess;
  /** Asserts that neither the process's log nor any reply holds one of these or of the secrets it was started with. */
  assertToldNoSecret(worker: WorkerProcess, secrets: readonly (string | undefined)[]): void;
}

export interface WorkerRigOptions {
  readonly step: StepName;
  /** The worker's main.ts. */
  readonly main: URL;
  /** Whose `run` takes everything away again, the processes first. */
  readonly cleanUps: CleanUps;
  /** The worker's own environment. */
  readonly variables: Readonly<Record<string, string>>;
  /** The same, each given as a file's path in `<name>_FILE`. */
  readonly secretVariables?: Readonly<Record<string, string>>;
  /** Where the test file has them already. */
  readonly installation?: string;
  readonly database?: TestDatabase;
}

export const workerRig = async (options: WorkerRigOptions): Promise<WorkerRig> => {
  const { step, main, cleanUps } = options;
  const installation = options.installation ?? `wp${randomBytes(4).toString("hex")}`;
  const database = options.database ?? (await testDatabase(cleanUps.add));
  await migrateSecrets(database.pool);
  const { send, replies } = await openTopics(installation, step, cleanUps);

  const masterKey = newMasterKeyLine();
  const { KAFKA_PASSWORD, CONTROL_DB_PASSWORD, ...open } = processEnvironment(installation, database.address);
  const secretVariables = {
    ...{ KAFKA_PASSWORD, CONTROL_DB_PASSWORD },
    DEEPLENS_MASTER_KEY: masterKey,
    ...options.secretVariables,
  };
  const environment = {
    ...open,
    LOG_LEVEL: "trace",
    HEALTH_PORT: "0",
    ...(await secretFiles(secretVariables, cleanUps)),
    ...options.variables,
  };

  const head = ({ tenantId, slug, name }: RigTenant, fence: number, workMs = 20_000) => ({
    ...{ sagaId: randomUUID(), step, fence, attempt: 1, workMs, tenantId, slug, name },
    expiresAt: new Date(Date.now() + expiresMs).toISOString(),
  });
  return {
    ...{ installation, database, environment, replies },
    secrets: createSecretStore(database.pool, masterKey),
    provision: ({ tenant, tier, storage, administrator, inputs }, { fence, workMs }) =>
      send({
        record: "TenantRequested",
        value: {
          ...head(tenant, fence, workMs),
          ...{ tier, storageType: storage.type, storage: requestOfModel(storage), administrator, inputs },
        },
      }),
    undo: (tenant, { fence, purpose = "compensate" }) =>
      send({
        record: "TenantRollbackRequested",
        value: { ...head(tenant, fence), purpose, reason: "a test" },
      }),
    answer: async ({ slug }, fence, withinMs = 30_000) => {
      for (const until = Date.now() + withinMs; Date.now() < until; await delay(50)) {
        const reply = replies.find(
          ({ record, value }) => record !== "StepProgressed" && value.slug === slug && value.fence === fence,
        );
        if (reply !== undefined) return reply;
      }
      throw new Error(`no answer to the command of fence ${fence} for ${slug} in ${withinMs} ms`);
    },
    start: (changes = {}) => {
      const worker = startProcess(main, { ...environment, ...changes });
      cleanUps.addFirst(worker.end);
      return worker;
    },
    assertToldNoSecret: (worker, secrets) => {
      const told = `${worker.log()}${JSON.stringify(replies)}`;
      const [, masterKeyItself] = masterKey.split(":");
      for (const secret of [...secrets, ...Object.values(secretVariables), masterKeyItself]) {
        assert.ok(secret !== undefined && secret.length >= 8, "a secret to search for is none");
        const written = [secret, JSON.stringify(secret).slice(1, -1)];
        assert.ok(!written.some((text) => told.includes(text)), "a secret was told");
      }
    },
  };
};

/** The step's topics, a way to send a command, and the replies as they come. */
const openTopics = async (installation: string, step: StepName, { add: after }: CleanUps) => {
  const { kafka: address, schemaRegistry } = stack();
  const kafka = connectKafka(address, { clientId: installation, log: createLogger("test", "silent") });
  const [admin, producer] = [kafka.admin(), createProducer(kafka)];
  const ears = kafka.consumer({ groupId: `${installation}.ears`, maxWaitTimeInMs: 100 });
  after(async () => {
    await Promise.all([ears.disconnect(), producer.disconnect()]);
    const topics = (await admin.listTopics()).filter((name) => name.startsWith(`${installation}.`));
    await admin.deleteTopics({ topics });
    const { groups } = await admin.listGroups();
    const own = groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(`${installation}.`));
    // That of a process which was killed is in use for some seconds more; Kafka forgets it by itself.
    await admin.deleteGroups(own).catch(() => undefined);
    await admin.disconnect();
  });
  await Promise.all([admin.connect(), producer.connect(), ears.connect()]);
  const commands = commandsTopic(step);
  await ensureTopics(admin, installation, [commands, repliesTopic, deadLetterTopic(commands)], { shards });
  const codec = createCodec(installation, schemaRegistry.url);
  await codec.prepare([commands, repliesTopic]);
  const replies: Reply[] = [];
  await ears.subscribe({ topics: [topicName(installation, repliesTopic)], fromBeginning: true });
  await ears.run({
    autoCommit: false,
    eachMessage: async ({ message }) => void replies.push((await codec.decode(message.value)) as Reply),
  });
  const send = async (command: Command): Promise<void> => {
    const key = command.value.slug;
    const value = codec.encode(commands, command);
    await producer.send({
      topic: topicName(installation, commands),
      messages: [{ key, value, partition: shardOf(key, shards) }],
    });
  };
  return { replies, send };
};

/** Writes each into a file that only its owner reads, and gives the variables that name the files. */
const secretFiles = async (
  secrets: Readonly<Record<string, string>>,
  { add: after }: CleanUps,
): Promise<Record<string, string>> => {
  const folder = await mkdtemp(join(tmpdir(), "worker-rig-"));
  after(() => rm(folder, { recursive: true }));
  const variables: Record<string, string> = {};
  for (const [name, content] of Object.entries(secrets)) {
    const file = join(folder, name);
    await writeFile(file, content, { mode: 0o600 });
    variables[`${name}_FILE`] = file;
  }
  return variables;
};
