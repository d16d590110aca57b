import assert from "node:assert/strict";
import { test } from "node:test";
import type { KafkaMessage } from "kafkajs";
import { deadLetterOf } from "./dead-letters.ts";
import { headersOf, headerText } from "./headers.ts";

test("a command's headers: CloudEvents', then saga, step, fence and tenant", () => {
  const identity = {
    id: "42",
    record: "TenantRequested",
    source: "/deeplens/saga-orchestrator",
    sagaId: "s-1",
    step: "database",
    fence: 7,
    tenantId: "t-1",
  } as const;
  assert.deepEqual(headersOf(identity), {
    ce_id: "42",
    ce_type: "com.deeplens.tenants.TenantRequested",
    ce_source: "/deeplens/saga-orchestrator",
    ce_specversion: "1.0",
    deeplens_saga: "s-1",
    deeplens_step: "database",
    deeplens_fence: "7",
    deeplens_tenant: "t-1",
  });
});

test("what a message has not is left out, and fence 0 is not nothing", () => {
  const identity = { id: "order-1", record: "TenantProvisioningRequested", source: "/shop" } as const;
  assert.deepEqual(Object.keys(headersOf(identity)), ["ce_id", "ce_source", "ce_specversion", "ce_type"]);
  assert.equal(headersOf({ ...identity, fence: 0 }).deeplens_fence, "0");
});

test("a header is read as text, the first where there are several, nothing where there is none", () => {
  const headers = { one: Buffer.from("ü"), many: [Buffer.from("a"), "b"], text: "t", none: [] };
  assert.equal(headerText(headers, "one"), "ü");
  assert.equal(headerText(headers, "many"), "a");
  assert.equal(headerText(headers, "text"), "t");
  assert.equal(headerText(headers, "none"), undefined);
  assert.equal(headerText(headers, "other"), undefined);
  assert.equal(headerText(undefined, "one"), undefined);
});

const record: KafkaMessage = {
  key: Buffer.from("acme"),
  value: Buffer.from([0, 255, 1]),
  timestamp: "0",
  attributes: 0,
  offset: "17",
  headers: { ce_id: Buffer.from("1"), binary: Buffer.from([255]) },
};

test("rule 08: a dead letter is the record as it was, with the reason and its place beside its own headers", () => {
  const letter = deadLetterOf(
    { topic: "deeplens.tenants.requests", partition: 3, message: record },
    { code: "avro", message: "cut off" },
  );
  assert.equal(letter.key, record.key);
  assert.equal(letter.value, record.value);
  assert.deepEqual(letter.headers, {
    ...record.headers,
    dlq_topic: "deeplens.tenants.requests",
    dlq_partition: "3",
    dlq_offset: "17",
    dlq_code: "avro",
    dlq_reason: "cut off",
  });
});

test("rule 08: a long reason is cut, so that the dead letter still fits", () => {
  const source = { topic: "t", partition: 0, message: record };
  const { headers } = deadLetterOf(source, { code: "avro", message: "ü".repeat(10_000) });
  assert.ok(Buffer.byteLength(String(headers?.dlq_reason)) <= 4_098);
});

test("rule 08: a record without a value stays one", () => {
  const source = { topic: "t", partition: 0, message: { ...record, value: null, key: null } };
  const letter = deadLetterOf(source, { code: "empty", message: "" });
  assert.equal(letter.value, null);
  assert.equal(letter.key, null);
});
