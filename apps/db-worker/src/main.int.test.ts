import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  type Command,
  commandsTopic,
  databaseName,
  deadLetterTopic,
  type Reply,
  repliesTopic,
  shardOf,
  topicName,
} from "@deeplens/contracts";
import {
  type Admin,
  type Codec,
  type Consumer,
  connectKafka,
  createCodec,
  createProducer,
  ensureTopics,
  type Producer,
} from "@deeplens/messaging";
import { quoteIdentifier } from "@deeplens/postgres";
import { createSecretStore, newMasterKeyLine } from "@deeplens/secrets";
import { createLogger } from "@deeplens/telemetry";
import { stack, type TestDatabase, testDatabase } from "@deeplens/testing";
import type { TenantServer } from "./tenant-server.ts";
import { templateOf } from "./tenant-template.ts";
import { connected, openTenantServer, sweepPostgres, tenantAddress } from "./testing/postgres.ts";
import { freshTenant } from "./testing/tenants.ts";

// The process itself, as an installation of its own on the test installation's services.

const shards = 2;
const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const installation = `dbw-${randomBytes(4).toString("hex")}`;
const tenant = freshTenant("main");
const commands = commandsTopic("database");
const topics = [commands, repliesTopic, deadLetterTopic(commands)];
const masterKey = newMasterKeyLine();

const cleanUps: (() => Promise<unknown>)[] = [];
let control: TestDatabase;
let server: TenantServer;
let admin: Admin;
let codec: Codec;
let producer: Producer;
let ears: Consumer;
let environment: Record<string, string>;
const replies: Reply[] = [];

before(async () => {
  const { kafka: address, schemaRegistry, tenantDb, redis } = stack();
  server = openTenantServer();
  cleanUps.push(() => server.pool.end());
  control = await testDatabase((work) => void cleanUps.push(work));
  const kafka = connectKafka(address, { clientId: installation, log: createLogger("test", "silent") });
  [admin, producer] = [kafka.admin(), createProducer(kafka)];
  ears = kafka.consumer({ groupId: `${installation}.ears`, maxWaitTimeInMs: 100 });
  await Promise.all([admin.connect(), producer.connect(), ears.connect()]);
  await ensureTopics(admin, installation, topics, { shards });
  codec = createCodec(installation, schemaRegistry.url);
  await codec.prepare([commands, repliesTopic]);
  await ears.subscribe({ topics: [topicName(installation, repliesTopic)], fromBeginning: true });
  await ears.run({
    autoCommit: false,
    eachMessage: async ({ message }) => void replies.push((await codec.decode(message.value)) as Reply),
  });

  const folder = await mkdtemp(join(tmpdir(), "db-worker-"));
  cleanUps.push(() => rm(folder, { recursive: true }));
  const fileOf = async (name: string, content: string): Promise<string> => {
    await writeFile(join(folder, name), content, { mode: 0o600 });
    return join(folder, name);
  };
  environment = {
    DEEPLENS_INSTALLATION: installation,
    LOG_LEVEL: "trace",
    HEALTH_PORT: "0",
    KAFKA_BROKERS: address.brokers.join(","),
    KAFKA_USERNAME: address.username,
    KAFKA_PASSWORD_FILE: await fileOf("kafka", address.password),
    SCHEMA_REGISTRY_URL: schemaRegistry.url,
    CONTROL_DB_HOST: control.address.host,
    CONTROL_DB_PORT: String(control.address.port),
    CONTROL_DB_NAME: control.address.database,
    CONTROL_DB_USER: control.address.user,
    CONTROL_DB_PASSWORD_FILE: await fileOf("control", control.address.password),
    DEEPLENS_MASTER_KEY_FILE: await fileOf("master", masterKey),
    TENANT_DB_HOST: tenantDb.host,
    TENANT_DB_PORT: String(tenantDb.port),
    TENANT_DB_ADMIN_USER: tenantDb.adminUser,
    TENANT_DB_ADMIN_PASSWORD_FILE: await fileOf("postgres", tenantDb.password),
    REDIS_HOST: redis.host,
    REDIS_PORT: String(redis.port),
    REDIS_ADMIN_USER: redis.adminUser,
    REDIS_ADMIN_PASSWORD_FILE: await fileOf("redis", redis.password),
  };
});

after(async () => {
  await Promise.all([ears.disconnect(), producer.disconnect()]);
  const names = (await admin.listTopics()).filter((name) => name.startsWith(`${installation}.`));
  await admin.deleteTopics({ topics: names });
  const { groups } = await admin.listGroups();
  await admin.deleteGroups(
    groups.map(({ groupId }) => groupId).filter((group) => group.startsWith(installation)),
  );
  await admin.disconnect();
  await sweepPostgres(server, tenant);
  const template = await templateOf(installation);
  await server.pool.query(`ALTER DATABASE ${quoteIdentifier(template.database)} IS_TEMPLATE false`);
  await server.pool.query(`DROP DATABASE ${quoteIdentifier(template.database)}`);
  await server.pool.query(`DROP ROLE ${quoteIdentifier(template.role)}`);
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

const head = (fence: number) => ({
  ...{ sagaId: randomUUID(), step: "database", fence, attempt: 1, workMs: 20_000 },
  ...{ tenantId: tenant.tenantId, slug: tenant.slug, name: tenant.name },
  expiresAt: new Date(Date.now() + 30_000).toISOString(),
});

const send = (command: Command) =>
  producer.send({
    topic: topicName(installation, commands),
    messages: [
      {
        key: tenant.slug,
        value: codec.encode(commands, command),
        partition: shardOf(tenant.slug, shards),
      },
    ],
  });

const answer = async (fence: number): Promise<Reply> => {
  for (let tries = 0; tries < 400; tries++) {
    const reply = replies.find(({ record, value }) => record !== "StepProgressed" && value.fence === fence);
    if (reply !== undefined) return reply;
    await delay(50);
  }
  return assert.fail(`no answer to the command of fence ${fence}`);
};

const start = (env: Record<string, string>): { child: ChildProcess; log: () => string } => {
  let log = "";
  const child = spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (bytes: Buffer) => {
      log += bytes.toString();
    });
  return { child, log: () => log };
};

it("the worker process does a command and undoes it, tells no secret, and stops within 10 s", async () => {
  const { child, log } = start(environment);
  try {
    const { administrator, tier } = {
      administrator: { email: "ada@example.com", firstName: "Ada", lastName: "Lovelace" },
      tier: "free",
    };
    await send({
      record: "TenantRequested",
      value: { ...head(1), tier, storageType: "deeplens", administrator, inputs: {} },
    });
    const done = await answer(1);
    assert.ok(done.record === "StepCompleted", JSON.stringify(done));
    assert.equal(done.value.outputs.database, databaseName(tenant.slug));

    const secrets = createSecretStore(control.pool, masterKey).of(tenant.tenantId);
    const passwords: string[] = [];
    for (const purpose of ["database.app", "redis.user", "kafka.user"])
      passwords.push((await secrets.read(purpose)) ?? assert.fail(`${purpose} was not stored`));
    await connected(tenantAddress(server, tenant, passwords[0] ?? ""), (client) =>
      client.query("SELECT FROM images"),
    );

    await send({
      record: "TenantRollbackRequested",
      value: { ...head(2), purpose: "compensate", reason: "a test" },
    });
    const undone = await answer(2);
    assert.ok(undone.record === "StepCompensated", JSON.stringify(undone));
    assert.equal(await secrets.read("database.app"), undefined);

    const began = Date.now();
    child.kill("SIGTERM");
    const [code] = await once(child, "exit");
    assert.equal(code, 0, log());
    assert.ok(Date.now() - began < 10_000);
    const { kafka, tenantDb, redis } = stack();
    for (const secret of [...passwords, masterKey, kafka.password, tenantDb.password, redis.password])
      assert.ok(!log().includes(secret) && !JSON.stringify(replies).includes(secret), "a secret was told");
  } finally {
    child.kill("SIGKILL");
  }
});

it("a process without its environment names every variable that it misses, and exits 78", async () => {
  const { child, log } = start({});
  const [code] = await once(child, "exit");
  assert.equal(code, 78);
  for (const name of ["TENANT_DB_HOST", "REDIS_ADMIN_PASSWORD", "KAFKA_BROKERS", "CONTROL_DB_PASSWORD"])
    assert.match(log(), new RegExp(`${name}: is missing`));
});
