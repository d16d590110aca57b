import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Credentials } from "@deeplens/client";
import { connectKafka, createConsumer, createProducer } from "@deeplens/messaging";
import { createClient } from "@deeplens/postgres";
import { createLogger } from "@deeplens/telemetry";
import { QdrantClient } from "@qdrant/js-client-rest";
import { Redis } from "ioredis";
import { Client as Minio } from "minio";
import { type Ended, order, wishFor } from "./orders.ts";
import { freshSlug, openInstallation } from "./support.ts";
import { tracesOf } from "./traces.ts";

// A tenant ordered over Kafka is used as its own services would use it: with its own credentials and nothing else.

const installation = await openInstallation();
after(() => installation.close());
const { services } = installation;
let acme: Ended;
let credentials: Credentials;

const secretOf = (purpose: string): string => {
  const value = credentials.secrets[purpose];
  assert.ok(value !== undefined, `the tenant has the secret ${purpose}`);
  return value;
};
const resource = (name: string): string => {
  const value = credentials.resources[name];
  assert.ok(value !== undefined, `the tenant has ${name}`);
  return value;
};

before(async () => {
  acme = await order(installation, wishFor(freshSlug("acme")));
  assert.equal(acme.saga.status, "ready", JSON.stringify(acme.saga.error));
  credentials = await installation.api.revealCredentials(acme.slug, "the end-to-end test uses the tenant");
});

test("its database takes the application's rows", async () => {
  const { host, port } = services.tenantDb;
  const client = createClient(
    {
      host,
      port,
      database: resource("database.database"),
      user: resource("database.applicationRole"),
      password: secretOf("database.app"),
    },
    "e2e",
  );
  await client.connect();
  try {
    const { rows } = await client.query(
      "SELECT table_name FROM information_schema.tables WHERE table_name IN ('images', 'collections', 'ingestion_jobs', 'usage')",
    );
    assert.equal(rows.length, 4);
    await assert.rejects(client.query("CREATE ROLE intruder"), /permission denied/);
  } finally {
    await client.end();
  }
});

test("its Redis user keeps values under its prefix, and reaches nothing else", async () => {
  const { host, port } = services.redis;
  const redis = new Redis({
    host,
    port,
    username: resource("database.redisUser"),
    password: secretOf("redis.user"),
    maxRetriesPerRequest: 1,
  });
  const key = `${resource("database.redisPrefix")}greeting`;
  try {
    assert.equal(await redis.set(key, "hello"), "OK");
    assert.equal(await redis.get(key), "hello");
    await redis.del(key);
    await assert.rejects(redis.get("tenant:somebody-else:greeting"), /NOPERM/);
  } finally {
    redis.disconnect();
  }
});

test("an event goes through its topic", async () => {
  const kafka = connectKafka(
    {
      brokers: services.kafka.brokers,
      username: resource("database.kafkaUser"),
      password: secretOf("kafka.user"),
    },
    { clientId: "e2e", log: createLogger("e2e", "silent") },
  );
  const topic = resource("database.topic");
  const producer = createProducer(kafka);
  const consumer = createConsumer(kafka, { groupId: `${resource("database.kafkaPrefix")}e2e` });
  await Promise.all([producer.connect(), consumer.connect()]);
  try {
    await producer.send({ topic, messages: [{ key: "image", value: "indexed" }] });
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    const arrived = Promise.withResolvers<string>();
    await consumer.run({
      eachMessage: async ({ message }) => arrived.resolve(message.value?.toString() ?? ""),
    });
    assert.equal(await arrived.promise, "indexed");
  } finally {
    await consumer.disconnect();
    await producer.disconnect();
  }
});

test("its bucket keeps an object", async () => {
  const { hostname, port } = new URL(services.minio.endpoint);
  const minio = new Minio({
    endPoint: hostname,
    port: Number(port),
    useSSL: false,
    accessKey: resource("storage.accessKey"),
    secretKey: secretOf("storage.service-account"),
  });
  const bucket = resource("storage.bucket");
  await minio.putObject(bucket, "photo.txt", "a photo");
  const stream = await minio.getObject(bucket, "photo.txt");
  assert.equal(Buffer.concat(await stream.toArray()).toString(), "a photo");
  await minio.removeObject(bucket, "photo.txt");
});

test("its vector engine finds the nearest vector", async () => {
  const qdrant = new QdrantClient({
    url: `http://127.0.0.1:${resource("vectors.httpPort")}`,
    apiKey: secretOf("vectors.api-key"),
    checkCompatibility: false,
  });
  const size = Number(resource("vectors.vectorSize"));
  const vector = (at: number): number[] => Array.from({ length: size }, (_, index) => (index === at ? 1 : 0));
  await qdrant.upsert(resource("vectors.collection"), {
    wait: true,
    points: [
      { id: 1, vector: vector(0) },
      { id: 2, vector: vector(1) },
    ],
  });
  const { points } = await qdrant.query(resource("vectors.collection"), { query: vector(1), limit: 1 });
  assert.equal(points[0]?.id, 2);
});

test("its administrator can sign in, and its parts are all there", async () => {
  const tenant = await fetch(`${services.identity.url}/api/tenant/${acme.slug}`);
  assert.equal(tenant.status, 200);
  const signedIn = await fetch(`${services.identity.url}/connect/token`, {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({
      grant_type: "password",
      client_id: "deeplens-webui-dev",
      username: `admin@${acme.slug}.example`,
      password: secretOf("identity.administrator"),
    }),
  });
  assert.equal(signedIn.status, 200, await signedIn.text());
  const traces = await tracesOf(installation, acme);
  for (const part of [
    "database ",
    "role ",
    "redis user ",
    "kafka topic ",
    "kafka user ",
    "bucket ",
    "container ",
    "volume ",
    "secret ",
  ])
    assert.ok(
      traces.some((trace) => trace.startsWith(part)),
      `the search for leftovers sees the ${part.trim()} of a tenant that is there`,
    );
});

test("the same request again is the same tenant", async () => {
  const again = await order(installation, wishFor(acme.slug));
  assert.equal(again.saga.sagaId, acme.saga.sagaId);
});
