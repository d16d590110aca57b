import assert from "node:assert/strict";
import { test } from "node:test";
import { fullNameOf, recordNames, recordOf, schemaText, subjectOf } from "./schemas.ts";
import { isStepName, stepNames } from "./steps.ts";
import {
  commandsTopic,
  deadLetterTopic,
  lifecycleTopic,
  repliesTopic,
  requestsTopic,
  stateTopic,
  topicName,
  topicsOf,
} from "./topics.ts";

const topics = topicsOf();

test("an installation has requests, a command topic a step, replies, lifecycle and state, and their dead letters", () => {
  assert.deepEqual(
    topics.map((topic) => topicName("deeplens", topic)),
    [
      "deeplens.tenants.requests",
      ...stepNames.map((step) => `deeplens.tenants.commands.${step}`),
      "deeplens.tenants.replies",
      "deeplens.tenants.lifecycle",
      "deeplens.tenants.state",
      "deeplens.tenants.requests.dlq",
      ...stepNames.map((step) => `deeplens.tenants.commands.${step}.dlq`),
      "deeplens.tenants.replies.dlq",
    ],
  );
});

test("what the orchestrator applies has equally many partitions: one a shard", () => {
  for (const topic of [requestsTopic, repliesTopic, commandsTopic("database")])
    assert.equal(topic.partitions, "one a shard");
});

test("a late subscriber finds the latest state of each tenant: that topic is compacted, and no other", () => {
  assert.deepEqual(
    topics.filter(({ retention }) => retention.policy === "compact"),
    [stateTopic],
  );
});

test("rule 08: a dead-letter topic takes its source's largest record and its headers, and keeps it longer", () => {
  for (const source of [requestsTopic, repliesTopic, commandsTopic("storage")]) {
    const dead = deadLetterTopic(source);
    assert.ok(dead.maximumRecordBytes >= source.maximumRecordBytes + 16 * 4_096);
    assert.equal(dead.records, "as they were");
    assert.deepEqual(dead.writer, source.readers, "who reads the source writes its dead letters");
    assert.ok(dead.retention.policy === "delete" && source.retention.policy === "delete");
    assert.ok(dead.retention.days > source.retention.days);
  }
});

test("every record travels on a topic, and every topic's records have a schema of that name", () => {
  const travelling = new Set(
    topics.flatMap(({ records }) => (records === "as they were" ? [] : [...records])),
  );
  assert.deepEqual([...travelling].sort(), [...recordNames].sort());
  for (const record of recordNames) {
    const schema = JSON.parse(schemaText(record));
    assert.equal(`${schema.namespace}.${schema.name}`, fullNameOf(record));
    assert.equal(recordOf(fullNameOf(record)), record);
  }
  assert.equal(recordOf("com.elsewhere.TenantRequested"), undefined);
});

test("every lifecycle and state record names the tenant and its revision", () => {
  for (const { records } of [lifecycleTopic, stateTopic])
    for (const record of records === "as they were" ? [] : records) {
      const names = JSON.parse(schemaText(record)).fields.map(({ name }: { name: string }) => name);
      for (const name of ["tenantId", "revision"])
        assert.ok(names.includes(name), `${record} has no ${name}`);
    }
});

test("no field of any record is made to hold a secret", () => {
  for (const record of recordNames)
    for (const [, name = ""] of schemaText(record).matchAll(/"name": "(\w+)"/g))
      assert.ok(
        name === record || !/password|secret|token|apikey|credential/i.test(name) || name.endsWith("Ref"),
        `${record}.${name}`,
      );
});

test("a subject bears the topic and the record's full name", () => {
  assert.equal(
    subjectOf("deeplens.tenants.requests", "TenantProvisioningRequested"),
    "deeplens.tenants.requests-com.deeplens.tenants.TenantProvisioningRequested",
  );
});

test("a step's name is told from any other word", () => {
  for (const step of stepNames) assert.ok(isStepName(step));
  for (const word of ["", "Database", "database.dlq", "__proto__"]) assert.ok(!isStepName(word));
});
