import assert from "node:assert/strict";
import { test } from "node:test";
import { commandsTopic, requestsTopic, stateTopic, topicsOf } from "@deeplens/contracts";
import type { Admin, ITopicConfig } from "kafkajs";
import { ensureTopics } from "./admin.ts";

/** A cluster that has these topics: name -> partitions. */
const clusterOf = (topics: Map<string, number>) => {
  const created: ITopicConfig[] = [];
  const admin = {
    listTopics: async () => [...topics.keys()],
    createTopics: async (asked: { topics: ITopicConfig[] }) => {
      created.push(...asked.topics);
      for (const { topic, numPartitions = 1 } of asked.topics) topics.set(topic, numPartitions);
      return true;
    },
    fetchTopicMetadata: async (asked: { topics: string[] }) => ({
      topics: asked.topics.map((name) => ({
        name,
        partitions: Array.from({ length: topics.get(name) ?? 0 }),
      })),
    }),
  } as unknown as Admin;
  return { admin, created };
};

const configOf = (topics: readonly ITopicConfig[], name: string): Record<string, string> =>
  Object.fromEntries(
    (topics.find(({ topic }) => topic === name)?.configEntries ?? []).map((entry) => [
      entry.name,
      entry.value,
    ]),
  );

test("topics that are missing are made, one partition a shard, with their retention and largest record", async () => {
  const { admin, created } = clusterOf(new Map());
  await ensureTopics(admin, "deeplens", topicsOf(), { shards: 6 });
  assert.equal(created.length, topicsOf().length);
  assert.ok(created.every(({ numPartitions }) => numPartitions === 6));
  assert.deepEqual(configOf(created, "deeplens.tenants.requests"), {
    "max.message.bytes": String(requestsTopic.maximumRecordBytes),
    "retention.ms": String(7 * 24 * 3_600_000),
  });
  assert.equal(configOf(created, "deeplens.tenants.state")["cleanup.policy"], "compact");
  const letters = Number(configOf(created, "deeplens.tenants.requests.dlq")["max.message.bytes"]);
  assert.ok(letters > requestsTopic.maximumRecordBytes, "rule 08: a dead letter is larger than its source");
});

test("topics that are there are left as they are; a second call makes nothing", async () => {
  const topics = new Map([["deeplens.tenants.requests", 3]]);
  const { admin, created } = clusterOf(topics);
  await ensureTopics(admin, "deeplens", [requestsTopic, stateTopic], { shards: 3 });
  await ensureTopics(admin, "deeplens", [requestsTopic, stateTopic], { shards: 3 });
  assert.deepEqual(
    created.map(({ topic }) => topic),
    ["deeplens.tenants.state"],
  );
});

test("rule 01: a topic with another number of partitions than there are shards is refused, and named", async () => {
  const { admin } = clusterOf(new Map([["deeplens.tenants.commands.backup", 12]]));
  await assert.rejects(
    ensureTopics(admin, "deeplens", [commandsTopic("backup")], { shards: 6 }),
    /deeplens\.tenants\.commands\.backup has 12 partitions, but the installation has 6 shards/,
  );
});
