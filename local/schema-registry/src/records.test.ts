/**
 * Expected bytes: a recording of Confluent's `_schemas` topic in https://github.com/redpanda-data/redpanda/pull/1428
 * ("Cover letter": the records of subjects Kafka1-value and Kafka3-value), and SchemaKey, ConfigKey, DeleteSubjectKey,
 * NoopKey.java (`JsonPropertyOrder`, magic bytes) with SchemaValuesTest.java in confluentinc/schema-registry (commit 794611bd).
 */
import assert from "node:assert/strict";
import test from "node:test";
import { decode, encode, type LogRecord, noop } from "./records.ts";
import { createMemoryLog, createRegistry } from "./registry.ts";

const recorded: LogRecord[] = [
  {
    key: '{"keytype":"SCHEMA","subject":"Kafka1-value","version":1,"magic":1}',
    value: '{"subject":"Kafka1-value","version":1,"id":1,"schema":"\\"string\\"","deleted":false}',
  },
  {
    key: '{"keytype":"SCHEMA","subject":"Kafka1-value","version":2,"magic":1}',
    value: '{"subject":"Kafka1-value","version":2,"id":2,"schema":"\\"int\\"","deleted":false}',
  },
  {
    key: '{"keytype":"SCHEMA","subject":"Kafka2-value","version":1,"magic":1}',
    value: '{"subject":"Kafka2-value","version":1,"id":1,"schema":"\\"string\\"","deleted":false}',
  },
  {
    key: '{"keytype":"SCHEMA","subject":"Kafka1-value","version":1,"magic":1}',
    value: '{"subject":"Kafka1-value","version":1,"id":1,"schema":"\\"string\\"","deleted":true}',
  },
];
const json: LogRecord = {
  key: '{"keytype":"SCHEMA","subject":"Kafka3-value","version":1,"magic":1}',
  value:
    '{"subject":"Kafka3-value","version":1,"id":3,"schema":"{\\"type\\":\\"string\\"}","deleted":false,"schemaType":"JSON"}',
};

test("a recorded record that is read and written again is the same, byte for byte", () => {
  for (const record of recorded) {
    const entry = decode(record);
    assert.ok(entry.type === "schema");
    assert.deepEqual(encode(entry), record);
  }
});

test("the other keys have Confluent's order and magic", () => {
  const config = encode({ type: "config", subject: "s", level: "FULL" });
  assert.equal(config.key, '{"keytype":"CONFIG","subject":"s","magic":0}');
  assert.equal(config.value, '{"subject":"s","compatibilityLevel":"FULL"}');
  const gone = encode({ type: "subjectDeleted", subject: "s", untilVersion: 2 });
  assert.equal(gone.key, '{"keytype":"DELETE_SUBJECT","subject":"s","magic":0}');
  assert.equal(gone.value, '{"subject":"s","version":2}');
  assert.deepEqual(noop, { key: '{"keytype":"NOOP","magic":0}', value: null });
});

test("a registry that starts on Confluent's records has what they say, and goes on from there", async () => {
  const log = [
    ...recorded,
    json,
    noop,
    { key: '{"keytype":"CONFIG","subject":null,"magic":0}', value: '{"compatibilityLevel":"NONE"}' },
  ];
  const registry = createRegistry(createMemoryLog(log));
  await registry.start();
  assert.deepEqual(registry.subjects(), ["Kafka1-value", "Kafka2-value", "Kafka3-value"]);
  assert.deepEqual(registry.versions("Kafka1-value"), [2], "version 1 was deleted");
  assert.equal(registry.level(null), "NONE");
  assert.equal(
    await registry.register("new", { schema: '{"type":"string"}' }),
    1,
    "a known schema keeps its id",
  );
  assert.equal(await registry.register("new", { schema: '"long"' }), 4, "a new one takes the next");
});

test("what a registry wrote is all that another needs", async () => {
  const log: LogRecord[] = [];
  const first = createRegistry(createMemoryLog(log));
  await first.start();
  await first.setLevel("s", "FULL_TRANSITIVE");
  const id = await first.register("s", { schema: '"string"' });
  await first.register("gone", { schema: '"int"' });
  await first.remove("gone", false);
  const second = createRegistry(createMemoryLog(log));
  await second.start();
  assert.deepEqual(second.subjects(), ["s"]);
  assert.equal(second.level("s"), "FULL_TRANSITIVE");
  assert.equal(second.version("s", "latest").id, id);
});

test("requests at once never share an id or a version", async () => {
  const registry = createRegistry(createMemoryLog());
  await registry.start();
  await registry.setLevel(null, "NONE");
  const types = ["int", "long", "float", "double", "string", "bytes", "boolean", "null"];
  const ids = await Promise.all(types.map((type) => registry.register("s", { schema: `"${type}"` })));
  assert.equal(new Set(ids).size, types.length);
  assert.equal(registry.versions("s").length, types.length);
});

test("a registry sees what another wrote meanwhile before it takes an id", async () => {
  const log: LogRecord[] = [];
  const [one, other] = [createRegistry(createMemoryLog(log)), createRegistry(createMemoryLog(log))];
  await one.start();
  await other.start();
  assert.equal(await one.register("a", { schema: '"int"' }), 1);
  assert.equal(await other.register("b", { schema: '"long"' }), 2);
});
