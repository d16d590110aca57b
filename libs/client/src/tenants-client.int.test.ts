import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, test } from "node:test";
import {
  lifecycleTopic,
  requestsTopic,
  shardOf,
  stateTopic,
  type TenantProvisioned,
  type TenantState,
  tenantIdOf,
  topicName,
} from "@deeplens/contracts";
import {
  connectKafka,
  createCodec,
  createProducer,
  ensureTopics,
  headersOf,
  headerText,
} from "@deeplens/messaging";
import { createLogger } from "@deeplens/telemetry";
import { stack } from "@deeplens/testing";
import type { TenantNews } from "./follow-tenant.ts";
import { connectTenants } from "./tenants-client.ts";

// Topics of an installation that nobody else has.
const installation = `client-${randomBytes(4).toString("hex")}`;
const source = "/tests/orders";
const shards = 3;
const log = createLogger("tests", "silent");
const { kafka: address, schemaRegistry } = stack();
const topics = [requestsTopic, lifecycleTopic, stateTopic];

const kafka = connectKafka(address, { clientId: "tests", log });
const admin = kafka.admin();
const producer = createProducer(kafka);
const codec = createCodec(installation, schemaRegistry.url);
await admin.connect();
await producer.connect();
await ensureTopics(admin, installation, topics, { shards });
await codec.prepare(topics);
const client = await connectTenants({
  installation,
  kafka: address,
  schemaRegistryUrl: schemaRegistry.url,
  source,
  log,
});

after(async () => {
  await client.close();
  await producer.disconnect();
  await admin.deleteTopics({ topics: topics.map((topic) => topicName(installation, topic)) });
  await admin.disconnect();
});

const common = (tenantId: string, slug: string, revision: number) => ({
  tenantId,
  slug,
  name: slug,
  revision,
  occurredAt: new Date().toISOString(),
  tier: "free",
  limits: { storageBytes: 1, users: 1, apiCallsPerDay: 1 },
  storageType: "none",
  resources: {},
  degraded: null,
});
const provisionedOf = (tenantId: string, slug: string, revision: number): TenantProvisioned => ({
  ...common(tenantId, slug, revision),
  sagaId: randomUUID(),
  requestId: "r",
  source,
});
const say = async (message: { state: TenantState } | { provisioned: TenantProvisioned }): Promise<void> => {
  const [topic, value, slug] =
    "state" in message
      ? [
          stateTopic,
          codec.encode(stateTopic, { record: "TenantState", value: message.state }),
          message.state.slug,
        ]
      : [
          lifecycleTopic,
          codec.encode(lifecycleTopic, { record: "TenantProvisioned", value: message.provisioned }),
          message.provisioned.slug,
        ];
  await producer.send({
    topic: topicName(installation, topic),
    messages: [
      {
        key: slug,
        partition: shardOf(slug, shards),
        value,
        headers: headersOf({ id: randomUUID(), record: "TenantState", source: "/tests" }),
      },
    ],
  });
};

test("a request stands on its slug's partition, under its slug, as the source's own", async (t) => {
  const requested = await client.requestTenant({
    requestId: "order-7",
    name: "Acme Corp",
    tier: "free",
    storage: { type: "none" },
    administrator: { email: "ada@acme.example", firstName: "Ada", lastName: "Lovelace" },
  });
  assert.deepEqual(requested, {
    tenantId: tenantIdOf(source, "order-7"),
    slug: "acme-corp",
    partition: shardOf("acme-corp", shards),
  });
  const groupId = `${installation}.tests`;
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 250 });
  t.after(async () => {
    await consumer.disconnect();
    await admin.deleteGroups([groupId]);
  });
  await consumer.connect();
  await consumer.subscribe({ topics: [topicName(installation, requestsTopic)], fromBeginning: true });
  const { partition, message } = await new Promise<{
    partition: number;
    message: Parameters<
      NonNullable<Parameters<typeof consumer.run>[0]>["eachMessage"] & object
    >[0]["message"];
  }>((resolve, reject) => {
    consumer.run({ eachMessage: async (one) => resolve(one) }).catch(reject);
  });
  assert.equal(partition, shardOf("acme-corp", shards));
  assert.equal(message.key?.toString(), "acme-corp");
  assert.equal(headerText(message.headers, "ce_source"), source);
  const decoded = await codec.decode(message.value);
  assert.equal(decoded.record, "TenantProvisioningRequested");
  assert.equal((decoded.value as { requestId: string }).requestId, "order-7");
});

const follow = async (tenantId: string, slug: string): Promise<TenantNews[]> => {
  const news: TenantNews[] = [];
  for await (const one of client.followTenant({ tenantId, slug }, AbortSignal.timeout(30_000)))
    news.push(one);
  return news;
};

test("rule 05: following a tenant gives each newer state; older revisions and other tenants are left out", async () => {
  const tenantId = randomUUID();
  const slug = `t${randomBytes(4).toString("hex")}`;
  await say({ state: { ...common(tenantId, slug, 2), state: "provisioning" } });
  await say({ state: { ...common(tenantId, slug, 1), state: "stuck" } });
  await say({ state: { ...common(randomUUID(), slug, 9), state: "rolled-back" } });
  await say({ state: { ...common(tenantId, slug, 3), state: "ready" } });
  // An old tenant's events have expired: its state alone ends the following.
  const news = await follow(tenantId, slug);
  assert.deepEqual(
    news.map((one) => one.type === "state" && one.state.state),
    ["provisioning", "ready"],
  );
});

test("following a tenant ends with its lifecycle event", async () => {
  const tenantId = randomUUID();
  const slug = `t${randomBytes(4).toString("hex")}`;
  await say({ state: { ...common(tenantId, slug, 1), state: "provisioning" } });
  await say({ provisioned: provisionedOf(randomUUID(), slug, 2) });
  await say({ provisioned: provisionedOf(tenantId, slug, 3) });
  const last = (await follow(tenantId, slug)).at(-1);
  assert.equal(last?.type === "provisioned" && last.event.revision, 3);
});

test("rule 05: a subscriber is given an event again that its handler failed at, and never a lower revision after it", async (t) => {
  const tenantId = randomUUID();
  const slug = `t${randomBytes(4).toString("hex")}`;
  const handled: number[] = [];
  let failures = 1;
  const groupId = `${installation}.subscriber`;
  let last: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    last = resolve;
  });
  const subscription = await client.subscribe({
    groupId,
    onEvent: async ({ value }) => {
      if (value.tenantId !== tenantId) return;
      if (failures-- > 0) throw new Error("not now");
      handled.push(value.revision);
      if (value.revision === 7) last();
    },
  });
  t.after(async () => {
    await subscription.stop();
    await admin.deleteGroups([groupId]);
  });
  for (const revision of [5, 4, 5, 7]) await say({ provisioned: provisionedOf(tenantId, slug, revision) });
  await ended;
  assert.deepEqual(handled, [5, 7]);
});
