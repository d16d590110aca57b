import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import {
  commandsTopic,
  deadLetterTopic,
  headerNames,
  lifecycleTopic,
  requestsTopic,
  shardOf,
  stepNames,
  storageRequestOf,
  tenantIdOf,
  topicName,
} from "@deeplens/contracts";
import { untilEnded, wishFor } from "@deeplens/e2e/orders";
import { e2eSource, freshSlug, openInstallation } from "@deeplens/e2e/support";
import { tracesOf } from "@deeplens/e2e/traces";
import {
  createCodec,
  createProducer,
  headersOf,
  headerText,
  type KafkaMessage,
  type Producer,
} from "@deeplens/messaging";
import { until } from "./fleet.ts";
import { type Listener, listen } from "./topics.ts";

// What comes in on Kafka is anything at all. It is answered by its reason, no worker hears of it, and whatever stands
// behind it on its partition is taken.

const installation = await openInstallation();
const { api, tenants, kafka, services } = installation;
const codec = createCodec(services.installation, services.schemaRegistry.url);
const slug = freshSlug("good");
const topic = topicName(services.installation, requestsTopic);
let events: Listener;
let commands: Listener;
let deadLetters: Listener;
let producer: Producer;
let shards = 0;

before(async () => {
  await codec.prepare([lifecycleTopic, requestsTopic]);
  producer = createProducer(kafka);
  await producer.connect();
  [events, commands, deadLetters] = await Promise.all([
    listen(installation, [lifecycleTopic]),
    listen(installation, stepNames.map(commandsTopic)),
    listen(installation, [deadLetterTopic(requestsTopic)]),
  ]);
  const admin = kafka.admin();
  await admin.connect();
  shards = (await admin.fetchTopicOffsets(topic)).length;
  await admin.disconnect();
});
after(async () => {
  await Promise.all([events.close(), commands.close(), deadLetters.close(), producer.disconnect()]);
  await installation.close();
});

/** The refusal of the tenant's request. */
const refusalOf = async (tenantId: string) => {
  const record = await events.find(
    `a refusal of ${tenantId}`,
    ({ headers }) => tenantOf(headers) === tenantId,
  );
  const message = await codec.decode(record.value);
  assert.ok(message.record === "TenantProvisioningFailed");
  return message.value;
};
const tenantOf = (headers: KafkaMessage["headers"]) => headerText(headers, headerNames.tenantId);

describe("a name that is none", () => {
  const names: readonly (readonly [what: string, name: string, code: string, says: RegExp])[] = [
    ["signs only", "!!!", "name-empty", /^name: nothing of "!!!" is left/],
    ["nothing", "", "name-empty", /^name: is empty/],
    ["a reserved word", "admin", "name-reserved", /^name: "admin" is a reserved word/],
    ["300 characters", "a".repeat(300), "name-too-long", /^name: has 300 characters; the most is 200/],
    ["a path", "../etc", "name-invalid", /^name: has "\/" \(U\+002F\) in it/],
    ["SQL", "'; DROP TABLE x", "name-invalid", /^name: has ";" \(U\+003B\) in it/],
    ["a pattern", "*", "name-invalid", /^name: has "\*" \(U\+002A\) in it/],
    ["a zero byte", "acme\u0000corp", "name-invalid", /^name: has an invisible .* \(U\+0000\)/],
    ["emoji only", "🚀🔥", "name-invalid", /^name: has "🚀" \(U\+1F680\) in it/],
    ["right-to-left marks", "acme\u202ecorp", "name-invalid", /^name: has an invisible .* \(U\+202E\)/],
  ];
  for (const [what, name, code, says] of names)
    test(`${what}: refused with the field and the rule, and no worker is asked`, async () => {
      const requestId = `bad-${randomBytes(6).toString("hex")}`;
      const { tenantId } = await tenants.requestTenant(wishFor("whoever", { requestId, name }));
      const refusal = await refusalOf(tenantId);
      assert.equal(refusal.code, code);
      assert.match(refusal.message, says);
      assert.equal(refusal.requestId, requestId);
      assert.equal(refusal.sagaId, null);
      await assert.rejects(api.tenant(tenantId), /404|not|no tenant/i);
      assert.deepEqual(
        commands.records.filter(({ headers }) => tenantOf(headers) === tenantId),
        [],
      );
    });
});

describe("bytes that are no request", () => {
  const valid = (name: string) =>
    codec.encode(requestsTopic, {
      record: "TenantProvisioningRequested",
      value: {
        ...{ requestId: "too-large", name, tier: "free" },
        storage: storageRequestOf({ type: "none" }),
        administrator: { email: "a@example.test", firstName: "A", lastName: "B" },
        requestedAt: new Date().toISOString(),
      },
    });
  const head = (id: number) => Buffer.from([0, 0, 0, id >> 8, id & 255]);
  const cases: readonly (readonly [what: string, code: string, value: () => Buffer | null])[] = [
    ["text", "magic-byte", () => Buffer.from('{"name":"acme"}')],
    ["nothing at all", "empty", () => null],
    [
      "a schema that nobody registered",
      "unknown-schema",
      () => Buffer.concat([head(65_000), Buffer.from("?")]),
    ],
    [
      "a schema of ours, and no Avro behind it",
      "avro",
      () => Buffer.concat([valid("x").subarray(0, 5), Buffer.from([255])]),
    ],
    ["a request of 70,000 bytes", "too-large", () => valid("a".repeat(70_000))],
  ];
  for (const [what, code, bytes] of cases)
    test(`${what}: to the dead letters as it was, with the reason`, async () => {
      const id = `bad-${randomBytes(6).toString("hex")}`;
      const value = bytes();
      const headers = headersOf({ id, record: "TenantProvisioningRequested", source: "/tests/faults" });
      // On the partition of the tenant that is ordered next.
      await producer.send({
        topic,
        messages: [{ key: id, partition: shardOf(slug, shards), value, headers }],
      });
      const letter = await deadLetters.find(id, ({ headers: of }) => headerText(of, headerNames.id) === id);
      assert.deepEqual(letter.value, value);
      assert.equal(letter.key?.toString(), id);
      assert.equal(headerText(letter.headers, "dlq_code"), code);
      assert.notEqual(headerText(letter.headers, "dlq_reason"), "");
      assert.equal(headerText(letter.headers, "dlq_topic"), topic);
    });
});

describe("one slug", () => {
  test("the partition goes on: a good request behind all that becomes a tenant", async () => {
    const { tenantId, partition } = await tenants.requestTenant(wishFor(slug, { storage: { type: "none" } }));
    assert.equal(partition, shardOf(slug, shards));
    const saga = await untilEnded(installation, tenantId, 60_000);
    assert.equal(saga.status, "ready", JSON.stringify(saga.error));
  });

  test("taken: another request for it is refused", async () => {
    const { tenantId } = await tenants.requestTenant(wishFor(slug, { requestId: `other-${slug}` }));
    const { code, message } = await refusalOf(tenantId);
    assert.equal(code, "slug-taken");
    assert.match(message, /belongs to another tenant; choose another name/);
  });

  test("the same request id again gets the same answer, and no second saga", async () => {
    const isOf = ({ headers }: KafkaMessage): boolean =>
      tenantOf(headers) === tenantIdOf(e2eSource, `order-${slug}`);
    await events.find("the first answer", isOf);
    await tenants.requestTenant(wishFor(slug, { storage: { type: "none" } }));
    await until("the same answer again", 20_000, async () =>
      events.records.filter(isOf).length === 2 ? true : undefined,
    );
    for (const { value } of events.records.filter(isOf))
      assert.equal((await codec.decode(value)).record, "TenantProvisioned");
    assert.equal((await api.sagas({ slug })).items.length, 1);
  });

  test("the same request id with other content goes to the dead letters, with the reason", async () => {
    const requestId = `order-${slug}`;
    await tenants.requestTenant(wishFor(slug, { requestId, storage: { type: "none" }, tier: "enterprise" }));
    const letter = await deadLetters.find(
      "the request whose id was used before",
      ({ headers }) => headerText(headers, headerNames.id) === requestId,
    );
    assert.equal(headerText(letter.headers, "dlq_code"), "request-id-reused");
    assert.match(
      headerText(letter.headers, "dlq_reason") ?? "",
      /requestId: .*used before with other content/,
    );
    assert.equal((await api.tenant(slug)).tier, "free");
  });

  test("two requests for it at once: one wins, the other is refused", async () => {
    const contested = freshSlug("contested");
    const wish = (by: string) =>
      wishFor(contested, { requestId: `${by}-${contested}`, storage: { type: "none" } });
    const both = await Promise.all(["a", "b"].map((by) => tenants.requestTenant(wish(by))));
    const winner = await until("a winner", 20_000, async () => {
      const { tenantId } = await api.tenant(contested).catch(() => ({ tenantId: undefined }));
      return both.find((one) => one.tenantId === tenantId);
    });
    const loser = both.find((one) => one !== winner);
    assert.equal((await refusalOf(loser?.tenantId ?? "")).code, "slug-taken");
    assert.equal((await api.sagas({ slug: contested })).items.length, 1);
    const { sagaId } = await api.tenant(contested);
    await api.act(sagaId ?? "", "abort", { reason: "the test has seen who won" }).catch(() => undefined);
    const { status } = await untilEnded(installation, winner.tenantId, 60_000);
    if (status !== "ready") assert.deepEqual(await tracesOf(installation, winner), []);
  });
});
