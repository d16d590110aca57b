import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { kafkaPrefix, kafkaUserName, tenantTopicName } from "@deeplens/contracts";
import { type Admin, createProducer, type Kafka } from "@deeplens/messaging";
import type { Tenant } from "@deeplens/worker";
import { grantPrefix } from "./kafka-acls.ts";
import { groupsUnder, type KafkaCluster, seen } from "./kafka-cluster.ts";
import { produceProbe, readUntil } from "./kafka-records.ts";
import { kafkaSecret, tenantKafka } from "./tenant-kafka.ts";
import {
  assertNothingInKafka,
  installation,
  kafkaThings,
  openTestCluster,
  sweepKafka,
} from "./testing/kafka.ts";
import { permanently, type Stage, stageOf } from "./testing/stage.ts";
import { freshTenant } from "./testing/tenants.ts";

const forever = AbortSignal.timeout(120_000);

let cluster: KafkaCluster;
let admin: Admin;
let tenant: Tenant;
let stage: Stage;
let topic: string;
before(async () => {
  cluster = await openTestCluster();
  admin = cluster.admin;
});
after(() => admin.disconnect());
beforeEach(() => {
  tenant = freshTenant("owner");
  stage = stageOf(tenantKafka(cluster), tenant);
  topic = tenantTopicName(installation, tenant.slug);
});
afterEach(() => sweepKafka(cluster, tenant));

const produce = async (kafka: Kafka, to: string, value: string): Promise<void> => {
  const producer = createProducer(kafka);
  await producer.connect();
  await producer.send({ topic: to, messages: [{ partition: 1, key: "order", value }] });
  await producer.disconnect();
};
const makeTopic = async (name: string, numPartitions = 1): Promise<void> => {
  await admin.createTopics({ waitForLeaders: false, topics: [{ topic: name, numPartitions }] });
  await seen(async () => (await admin.listTopics()).includes(name), forever);
};
const topicFacts = async (name: string): Promise<unknown> => [
  await admin.fetchTopicOffsets(name),
  (await admin.fetchTopicMetadata({ topics: [name] })).topics,
];
const outcomes = async (): Promise<Record<string, string>> =>
  Object.fromEntries((await stage.compensate()).map(({ kind, outcome }) => [kind, outcome]));

describe("what bears the tenant's name in Kafka and is somebody else's", () => {
  it("a topic made by hand is refused and keeps its records and its shape", async () => {
    await makeTopic(topic, 2);
    await produce(cluster.kafka, topic, "theirs");
    const before = await topicFacts(topic);
    await assert.rejects(stage.provision(), permanently("kafka-topic-owned-by-other"));
    assert.deepEqual(await outcomes(), {
      "kafka-topic": "foreign",
      "kafka-user": "absent",
      "kafka-acls": "absent",
    });
    assert.deepEqual(await topicFacts(topic), before);
  });

  it("another topic under the prefix is refused: the tenant's rights would reach it", async () => {
    const stranger = `${kafkaPrefix(installation, tenant.slug)}other`;
    await makeTopic(stranger);
    await produceProbe(cluster.kafka, stranger, "theirs");
    const before = await topicFacts(stranger);
    await assert.rejects(stage.provision(), permanently("kafka-topic-owned-by-other"));
    const receipt = await stage.compensate();
    assert.ok(receipt.some(({ name, outcome }) => name === stranger && outcome === "foreign"));
    assert.deepEqual(await topicFacts(stranger), before);
  });

  it("a user made by hand is refused and keeps its password", async () => {
    const name = kafkaUserName(tenant.slug);
    await cluster.users.put(name, "theirs", forever);
    await seen(() => cluster.users.has(name, forever), forever);
    await assert.rejects(stage.provision(), permanently("kafka-user-owned-by-other"));
    assert.deepEqual(await outcomes(), {
      "kafka-topic": "removed",
      "kafka-user": "foreign",
      "kafka-acls": "absent",
    });
    const theirs = cluster.as({ username: name, password: "theirs" }).admin();
    await theirs.connect();
    assert.deepEqual(await theirs.listTopics(), []);
    await theirs.disconnect();
  });

  it("rights that were given to the name before are refused and stay", async () => {
    await grantPrefix(admin, `User:${kafkaUserName(tenant.slug)}`, "theirs.");
    await seen(async () => (await kafkaThings(cluster, tenant)).acls === 6, forever);
    await assert.rejects(stage.provision(), permanently("kafka-acls-owned-by-other"));
    assert.deepEqual(await outcomes(), {
      "kafka-topic": "removed",
      "kafka-user": "removed",
      "kafka-acls": "foreign",
    });
    assert.equal((await kafkaThings(cluster, tenant)).acls, 6);
  });
});

describe("undoing a tenant's share of Kafka", () => {
  it("a record that its provisioning did not write is refused, and everything is still there", async () => {
    await stage.provision();
    const things = await kafkaThings(cluster, tenant);
    await produce(cluster.kafka, topic, "kept");
    const before = await topicFacts(topic);
    await assert.rejects(stage.compensate(), permanently("topic-not-empty"));
    assert.deepEqual(await topicFacts(topic), before);
    assert.deepEqual(await kafkaThings(cluster, tenant), things);
  });

  it("probes that crashes left are removed with the topic", async () => {
    await stage.provision();
    await produceProbe(cluster.kafka, topic, tenant.tenantId);
    await produceProbe(cluster.kafka, topic, tenant.tenantId);
    assert.deepEqual(await outcomes(), {
      "kafka-topic": "removed",
      "kafka-user": "removed",
      "kafka-acls": "removed",
    });
    await assertNothingInKafka(cluster, tenant);
  });

  it("a consumer group of somebody else's under the prefix is left and named", async () => {
    await stage.provision();
    const group = `${kafkaPrefix(installation, tenant.slug)}readers`;
    await admin.setOffsets({ groupId: group, topic, partitions: [{ partition: 0, offset: "0" }] });
    const receipt = await stage.compensate();
    assert.ok(receipt.some(({ name, outcome }) => name === group && outcome === "foreign"));
    assert.deepEqual(await groupsUnder(admin, group), [group]);
  });
});

it("done again for a tenant that lives, the step leaves its events alone", async () => {
  await stage.provision();
  const login = { username: kafkaUserName(tenant.slug), password: await stage.secret(kafkaSecret) };
  await produce(cluster.as(login), topic, "an event");
  await stage.provision();
  const found: string[] = [];
  await readUntil(
    {
      kafka: cluster.kafka,
      topic,
      group: `${kafkaPrefix(installation, tenant.slug)}check`,
      signal: AbortSignal.timeout(20_000),
    },
    ({ key }) => {
      found.push(key ?? "");
      return key === "order";
    },
  );
  assert.ok(found.includes("order"));
});

it("the topic has three partitions and keeps its records for seven days", async () => {
  await stage.provision();
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  assert.equal(topics[0]?.partitions.length, 3);
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: 2, name: topic, configNames: ["retention.ms", "cleanup.policy"] }],
  });
  assert.deepEqual(
    Object.fromEntries(
      resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]) ?? [],
    ),
    { "retention.ms": "604800000", "cleanup.policy": "delete" },
  );
});
