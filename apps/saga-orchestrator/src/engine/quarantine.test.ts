import assert from "node:assert/strict";
import { test } from "node:test";
import type { KafkaMessage } from "@deeplens/messaging";
import { createLogger } from "@deeplens/telemetry";
import type { Input, RecordInput } from "./inputs.ts";
import { createQuarantine } from "./quarantine.ts";

const raw = { key: null, value: Buffer.from("x"), headers: {}, offset: "7" } as unknown as KafkaMessage;
const record = (offset: number): RecordInput => ({
  from: "kafka",
  shard: 1,
  stream: "requests",
  offset,
  content: { kind: "request", source: "/tests", request: {} as never, raw },
});
const timer: Input = { from: "timer", shard: 1, sagaId: "one" };
const other: Input = { from: "timer", shard: 1, sagaId: "two" };
const act = { from: "inbox", id: 3, shard: 1, body: { kind: "act" } } as unknown as Input;

const fresh = () => createQuarantine(createLogger("tests", "silent"));
const error = new Error("no row can hold it");
const failAlone = (quarantine: ReturnType<typeof fresh>, input: Input, times = 3): void => {
  for (let n = 0; n < times; n++) quarantine.failed([input], error);
};

test("a batch that failed is taken one by one; the record that fails alone three times becomes a dead letter", () => {
  const quarantine = fresh();
  assert.equal(quarantine.isolating(), false);
  quarantine.failed([record(1), record(2)], error);
  assert.equal(quarantine.isolating(), true);
  failAlone(quarantine, record(2), 2);
  assert.equal(quarantine.admit(record(2)).from, "kafka");
  assert.deepEqual(quarantine.admit(record(2)), record(2));
  failAlone(quarantine, record(2), 1);
  const { content } = quarantine.admit(record(2)) as RecordInput;
  assert.deepEqual(content, { kind: "unreadable", code: "not-applicable", message: error.message, raw });
  assert.deepEqual(quarantine.admit(record(1)), record(1));
});

test("an act that can't be applied is answered with the reason; a timer that can't is left alone for a while", () => {
  const quarantine = fresh();
  failAlone(quarantine, act);
  failAlone(quarantine, timer);
  const [answered] = quarantine.due([act]);
  assert.deepEqual(answered, {
    ...act,
    refusal: { ok: false, code: "not-applicable", message: error.message },
  });
  assert.deepEqual(quarantine.due([timer, other]), [other]);
});

test("while it isolates one timer at a time; whole batches again after fifty that passed", () => {
  const quarantine = fresh();
  quarantine.failed([timer, other], error);
  assert.deepEqual(quarantine.due([timer, other]), [timer]);
  for (let n = 0; n < 50; n++) {
    assert.equal(quarantine.isolating(), true);
    quarantine.passed();
  }
  assert.equal(quarantine.isolating(), false);
  assert.deepEqual(quarantine.due([timer, other]), [timer, other]);
});
