/**
 * What can't be read or applied. Seen to fail: rule 08 with every error of `decode` taken for the message's fault (an
 * outage dead-letters a good request), and with the wait for the registry inside eachBatch (no other partition goes
 * on); rule 07 with the unreadable reply only dead-lettered (its step waits for the deadline); the poison without the
 * quarantine (the batch is tried for ever).
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  deadLetterTopic,
  headerNames,
  repliesTopic,
  requestsTopic,
  schemaText,
  shardOf,
  stateTopic,
  topicName,
} from "@deeplens/contracts";
import { headersOf, headerText, type KafkaRecord } from "@deeplens/messaging";
import { stack } from "@deeplens/testing";
import { startClosableProxy } from "../testing/closable-proxy.ts";
import { startHarness } from "../testing/engine-harness.ts";
import { eventually } from "../testing/eventually.ts";
import { success } from "../testing/scripted-worker.ts";

const harness = await startHarness(after);
const { installation, shards, codec, producer, pool } = harness;
const proxy = await startClosableProxy(new URL(stack().schemaRegistry.url));
harness.cleanUp(proxy.close);
const worker = await harness.worker({
  // Replies to this one come from the test itself.
  script: (command) =>
    command.value.slug === "garbled" && command.value.attempt === 1 && command.value.step === "database"
      ? undefined
      : success(command),
});
const requestLetters = await harness.read(deadLetterTopic(requestsTopic));
const replyLetters = await harness.read(deadLetterTopic(repliesTopic));
const orchestrator = await harness.orchestrator({ settings: { SCHEMA_REGISTRY_URL: proxy.url } });

const bytesOf = (record: KafkaRecord): Buffer => {
  if (!Buffer.isBuffer(record.value)) throw new Error("a record of bytes is needed");
  return record.value;
};

const withId = (id: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.writeInt32BE(id, 1);
  return Buffer.concat([head, payload]);
};

const sendRequests = (messages: KafkaRecord[]): Promise<unknown> =>
  producer.send({ topic: topicName(installation, requestsTopic), messages });

/** A slug of that shard. */
const slugOn = (shard: number, stem: string): string => {
  for (let n = 0; ; n++) if (shardOf(`${stem}-${n}`, shards) === shard) return `${stem}-${n}`;
};

test("rule 08: what can't be read goes to the dead letters byte for byte, and its partition goes on", async () => {
  const good = harness.requestRecord("Template Of All");
  const id = bytesOf(good).readInt32BE(1);
  const payload = bytesOf(good).subarray(5);
  const tenantState = codec.encode(stateTopic, {
    record: "TenantState",
    value: {
      tenantId: "t",
      slug: "s",
      name: "n",
      revision: 1,
      occurredAt: new Date().toISOString(),
      state: "ready",
      tier: "free",
      limits: { storageBytes: 1, users: 1, apiCallsPerDay: 1 },
      storageType: "none",
      resources: {},
      degraded: null,
    },
  });
  const odd = { kept: Buffer.from([0xff, 0, 0xfe]), twice: ["a", Buffer.from([0x80])], text: "ä" };
  const source = { [headerNames.source]: "/tests" };
  const cases: readonly [string, Buffer | null, KafkaRecord["headers"]][] = [
    ["magic-byte", Buffer.concat([Buffer.from([7]), bytesOf(good).subarray(1)]), odd],
    ["magic-byte", Buffer.from("{}"), source],
    ["unknown-schema", withId(1_999_999_999, payload), source],
    ["unknown-schema", withId(-2, payload), source],
    ["avro", withId(id, Buffer.from([0x7f, 0x7f, 0x01])), source],
    ["avro", bytesOf(good).subarray(0, -3), source],
    ["empty", null, source],
    ["wrong-record", tenantState, source],
    ["source-missing", bytesOf(good), {}],
    ["too-large", Buffer.concat([bytesOf(good), Buffer.alloc(70_000)]), odd],
  ];
  const slug = slugOn(1, "behind");
  const messages = cases.map(([, value, headers], n) => ({
    key: n % 2 === 0 ? null : `key ${n}`,
    partition: 1,
    value,
    ...(headers === undefined ? {} : { headers }),
  }));
  await sendRequests([...messages, harness.requestRecord(slug)]);
  await harness.until([slug], ["ready"]);
  await eventually(() => assert.equal(requestLetters.length, cases.length));
  for (const [n, { partition, message }] of requestLetters.entries()) {
    const sent = messages[n];
    const [code] = cases[n] ?? [];
    assert.equal(headerText(message.headers, "dlq_code"), code);
    assert.equal(partition, 1);
    assert.deepEqual(message.value, sent?.value ?? null);
    assert.deepEqual(message.key?.toString() ?? null, sent?.key ?? null);
    const { ce_id: _id, ...headers } = message.headers ?? {};
    const own = Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith("dlq_")));
    assert.deepEqual(plain(own), plain(sent?.headers ?? {}));
    assert.equal(headerText(headers, "dlq_topic"), topicName(installation, requestsTopic));
    assert.equal(headerText(headers, "dlq_partition"), "1");
    assert.equal(headerText(headers, "dlq_offset"), String(n));
    assert.ok((headerText(headers, "dlq_reason") ?? "").length > 0);
  }
});

test("rule 08: with the registry down nothing is dead-lettered: its partition waits, the others go on", async () => {
  const letters = requestLetters.length;
  const schema = JSON.parse(schemaText("TenantProvisioningRequested"));
  const note = { name: `note_${installation}`, type: ["null", "string"], default: null };
  schema.fields.push(note);
  const response = await fetch(`${stack().schemaRegistry.url}/subjects/${installation}-newer/versions`, {
    method: "POST",
    headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
    body: JSON.stringify({ schema: JSON.stringify(schema) }),
  });
  const { id } = (await response.json()) as { id: number };
  const [newer, behind, unknown] = ["newer", "behind-newer", "behind-all"].map((stem) => slugOn(0, stem));
  const elsewhere = [slugOn(1, "elsewhere"), slugOn(2, "elsewhere")];
  if (newer === undefined || behind === undefined || unknown === undefined) throw new Error("three slugs");
  // A newer writer's: one more field, which is null.
  const record = harness.requestRecord(newer);
  const evolved = {
    ...record,
    value: withId(id, Buffer.concat([bytesOf(record).subarray(5), Buffer.alloc(1)])),
  };

  await proxy.close();
  await sendRequests([
    harness.requestRecord(unknown),
    evolved,
    { partition: 0, value: withId(1_999_999_998, Buffer.alloc(3)) },
    harness.requestRecord(behind),
  ]);
  await harness.until([unknown], ["ready"]);
  await harness.requests(elsewhere);
  await harness.until(elsewhere, ["ready"]);
  assert.deepEqual(await harness.sagas([newer, behind]), []);
  assert.equal(requestLetters.length, letters);

  await proxy.open();
  await harness.until([newer, behind], ["ready"]);
  await eventually(() => assert.equal(requestLetters.length, letters + 1));
  assert.equal(headerText(requestLetters.at(-1)?.message.headers, "dlq_code"), "unknown-schema");
});

test("rule 07: a reply that nobody can read is in the history, and its step is tried again at once", async () => {
  await harness.request("garbled");
  await eventually(() =>
    assert.ok(worker.seen.some(({ slug, step }) => slug === "garbled" && step === "database")),
  );
  const [saga] = await harness.sagas(["garbled"]);
  const seen = worker.seen.find(({ slug, step }) => slug === "garbled" && step === "database");
  if (saga === undefined || seen === undefined) throw new Error("no saga of that slug");
  const value = Buffer.from("not what a worker writes");
  const headers = headersOf({
    id: "garbled reply",
    record: "StepCompleted",
    source: "/tests",
    sagaId: saga.sagaId,
    step: "database",
    fence: seen.fence,
  });
  const topic = topicName(installation, repliesTopic);
  await producer.send({ topic, messages: [{ partition: seen.partition, value, headers }] });
  // Its deadline is a minute away.
  const [ready] = await harness.until(["garbled"], ["ready"], 20_000);
  assert.equal(ready?.steps.database?.attempts.do, 2);
  const { rows } = await pool.query<{ fence: number; code: string }>(
    `SELECT fence, body ->> 'code' AS code FROM orchestrator.history WHERE saga_id = $1 AND event = 'unreadable reply'`,
    [saga.sagaId],
  );
  assert.deepEqual(rows, [{ fence: seen.fence, code: "magic-byte" }]);
  await eventually(() =>
    assert.deepEqual(
      replyLetters.map(({ message }) => message.value),
      [value],
    ),
  );
});

test("a request that can't be written is a dead letter; what came with it, and behind it, is applied", async () => {
  const letters = requestLetters.length;
  await pool.query(
    `CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'no such saga may be' USING ERRCODE = '23514'; END $$;
     CREATE TRIGGER poison BEFORE INSERT ON orchestrator.sagas FOR EACH ROW WHEN (NEW.slug LIKE 'poison%')
       EXECUTE FUNCTION poison()`,
  );
  const poison = slugOn(0, "poison");
  const others = Array.from({ length: 20 }, (_, n) => `beside-${n}`);
  const records = others.map((slug) => harness.requestRecord(slug));
  await sendRequests([...records.slice(0, 7), harness.requestRecord(poison), ...records.slice(7)]);
  await harness.until(others, ["ready"]);
  await eventually(() => assert.equal(requestLetters.length, letters + 1));
  const { message } = requestLetters.at(-1) ?? {};
  assert.equal(headerText(message?.headers, "dlq_code"), "not-applicable");
  assert.match(headerText(message?.headers, "dlq_reason") ?? "", /no such saga may be/);

  // What can't be applied and came by the API is answered with the reason.
  const { rows } = await pool.query<{ id: number }>(
    "INSERT INTO orchestrator.inbox (shard, body) VALUES ($1, $2) RETURNING id",
    [0, JSON.stringify({ kind: "request", source: "/api", request: requestOf(poison) })],
  );
  await eventually(async () => {
    const answered = await pool.query<{ result: { ok: boolean; message: string } | null }>(
      "SELECT result FROM orchestrator.inbox WHERE id = $1",
      [rows[0]?.id],
    );
    assert.equal(answered.rows[0]?.result?.ok, false);
    assert.match(answered.rows[0]?.result?.message ?? "", /no such saga may be/);
  });
  await pool.query("DROP TRIGGER poison ON orchestrator.sagas; DROP FUNCTION poison()");
  await harness.request("after poison");
  await harness.until(["after-poison"], ["ready"]);
  assert.deepEqual(await orchestrator.wrong(), {});
});

const requestOf = (name: string) => ({
  requestId: `inbox-${name}`,
  name,
  tier: "free",
  storage: { type: "none", provider: null, credentialRef: null },
  administrator: { email: "ada@poison.example", firstName: "Ada", lastName: "Lovelace" },
  requestedAt: new Date().toISOString(),
});

/** Headers as bytes, whatever they came as. */
const plain = (headers: NonNullable<KafkaRecord["headers"]>) =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      [value].flat().map((one) => Buffer.from(one ?? "").toString("hex")),
    ]),
  );
