import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
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
import {
  type Codec,
  connectKafka,
  createCodec,
  createProducer,
  ensureTopics,
  type Producer,
} from "@deeplens/messaging";
import { createSecretStore, newMasterKeyLine } from "@deeplens/secrets";
import { createLogger } from "@deeplens/telemetry";
import { stack } from "@deeplens/testing";
import { QdrantClient } from "@qdrant/js-client-rest";
import { type CleanUps, cleanUps, type Rig, vectorRig } from "./testing/rig.ts";

// The process itself, as an installation of its own on the test installation's services.

const shards = 2;
const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const commands = commandsTopic("vectors");
const masterKey = newMasterKeyLine();

const last: CleanUps = cleanUps();
let rig: Rig;
let codec: Codec;
let producer: Producer;
let environment: Record<string, string>;
const replies: Reply[] = [];

before(async () => {
  rig = await vectorRig(last);
  const { installation, database } = rig;
  const { kafka: address, schemaRegistry } = stack();
  const kafka = connectKafka(address, { clientId: installation, log: createLogger("test", "silent") });
  const [admin, ears] = [
    kafka.admin(),
    kafka.consumer({ groupId: `${installation}.ears`, maxWaitTimeInMs: 100 }),
  ];
  producer = createProducer(kafka);
  await Promise.all([admin.connect(), producer.connect(), ears.connect()]);
  last.add(async () => {
    await Promise.all([ears.disconnect(), producer.disconnect()]);
    const names = (await admin.listTopics()).filter((name) => name.startsWith(`${installation}.`));
    await admin.deleteTopics({ topics: names });
    const { groups } = await admin.listGroups();
    const own = groups.map(({ groupId }) => groupId).filter((id) => id.startsWith(installation));
    await admin.deleteGroups(own).catch(() => undefined);
    await admin.disconnect();
  });
  await ensureTopics(admin, installation, [commands, repliesTopic, deadLetterTopic(commands)], { shards });
  codec = createCodec(installation, schemaRegistry.url);
  await codec.prepare([commands, repliesTopic]);
  await ears.subscribe({ topics: [topicName(installation, repliesTopic)], fromBeginning: true });
  await ears.run({
    autoCommit: false,
    eachMessage: async ({ message }) => void replies.push((await codec.decode(message.value)) as Reply),
  });

  const folder = await mkdtemp(join(tmpdir(), "vector-worker-"));
  last.add(() => rm(folder, { recursive: true }));
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
    CONTROL_DB_HOST: database.host,
    CONTROL_DB_PORT: String(database.port),
    CONTROL_DB_NAME: database.database,
    CONTROL_DB_USER: database.user,
    CONTROL_DB_PASSWORD_FILE: await fileOf("control", database.password),
    DEEPLENS_MASTER_KEY_FILE: await fileOf("master", masterKey),
    DOCKER_HOST: process.env.DOCKER_HOST ?? "",
    QDRANT_IMAGE: rig.services.image,
    QDRANT_REACH: "published",
    QDRANT_HTTP_PORT_BASE: String(rig.range.httpBase),
    QDRANT_GRPC_PORT_BASE: String(rig.range.grpcBase),
    QDRANT_PORT_PAIRS: "20",
  };
});
after(() => last.run());

const start = (env: Record<string, string>): { child: ChildProcess; log: () => string } => {
  let log = "";
  const child = spawn(process.execPath, [main], { env, stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (bytes: Buffer) => {
      log += bytes.toString();
    });
  return { child, log: () => log };
};

test("the worker process gives a tenant its vectors and undoes it, tells no secret, and stops within 10 s", async () => {
  const { child, log } = start(environment);
  const { command, slug, tenantId, container, volume } = rig.tenant();
  const head = (fence: number) => ({
    ...{ sagaId: randomUUID(), step: "vectors", fence, attempt: 1, workMs: 20_000 },
    ...{ tenantId, slug, name: slug },
    expiresAt: new Date(Date.now() + 30_000).toISOString(),
  });
  const send = (message: Command) =>
    producer.send({
      topic: topicName(rig.installation, commands),
      messages: [{ key: slug, value: codec.encode(commands, message), partition: shardOf(slug, shards) }],
    });
  const answer = async (fence: number): Promise<Reply> => {
    for (let tries = 0; tries < 600; tries++) {
      const reply = replies.find(({ record, value }) => record !== "StepProgressed" && value.fence === fence);
      if (reply !== undefined) return reply;
      await delay(50);
    }
    return assert.fail(`no answer to the command of fence ${fence}:\n${log()}`);
  };
  try {
    const { administrator, tier } = command;
    await send({
      record: "TenantRequested",
      value: { ...head(1), tier, storageType: "none", administrator, inputs: {} },
    });
    const done = await answer(1);
    assert.ok(done.record === "StepCompleted", JSON.stringify(done));
    const { outputs } = done.value;
    assert.equal(outputs.url, `http://${container}:6333`);
    assert.equal(outputs.vectorSize, "512");

    const secrets = createSecretStore(rig.pool, masterKey).of(command.tenant.tenantId);
    const key = (await secrets.read("vectors.api-key")) ?? assert.fail("no key was stored");
    const client = new QdrantClient({
      url: `http://127.0.0.1:${outputs.httpPort}`,
      headers: { "api-key": key },
      checkCompatibility: false,
    });
    assert.equal((await client.count("images")).count, 0);

    await send({
      record: "TenantRollbackRequested",
      value: { ...head(2), purpose: "compensate", reason: "a test" },
    });
    const undone = await answer(2);
    assert.ok(undone.record === "StepCompensated", JSON.stringify(undone));
    assert.deepEqual(
      undone.value.receipt.map(({ outcome }) => outcome),
      ["removed", "removed", "removed", "removed"],
    );
    assert.equal(await rig.engine.container(container), undefined);
    assert.equal(await rig.engine.volume(volume), undefined);
    assert.equal(await secrets.read("vectors.api-key"), undefined);

    const began = Date.now();
    child.kill("SIGTERM");
    const [code] = await once(child, "exit");
    assert.equal(code, 0, log());
    assert.ok(Date.now() - began < 10_000);
    for (const secret of [key, masterKey, stack().kafka.password, rig.database.password])
      assert.ok(!log().includes(secret) && !JSON.stringify(replies).includes(secret), "a secret was told");
  } finally {
    child.kill("SIGKILL");
  }
});

test("a process without its environment names every variable that it misses, and exits 78", async () => {
  const { child, log } = start({});
  const [code] = await once(child, "exit");
  assert.equal(code, 78);
  for (const name of ["QDRANT_IMAGE", "KAFKA_BROKERS", "CONTROL_DB_PASSWORD", "DEEPLENS_MASTER_KEY"])
    assert.match(log(), new RegExp(`${name}: is missing`));
});

test("ports that meet are an error of the configuration too: exit 78, naming the variable", async () => {
  const { child, log } = start({ ...environment, QDRANT_GRPC_PORT_BASE: String(rig.range.httpBase + 2) });
  const [code] = await once(child, "exit");
  assert.equal(code, 78);
  assert.match(log(), /QDRANT_GRPC_PORT_BASE: must be/);
});
