import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { kafkaPrefix, kafkaUserName, requestsTopic, tenantTopicName, topicName } from "@deeplens/contracts";
import type { Admin, Kafka } from "@deeplens/messaging";
import { grantPrefix } from "./kafka-acls.ts";
import type { KafkaCluster } from "./kafka-cluster.ts";
import { probeRecordKey, produceProbe, readUntil } from "./kafka-records.ts";
import { kafkaSecret, tenantKafka } from "./tenant-kafka.ts";
import { installation, openTestCluster, sweepKafka } from "./testing/kafka.ts";
import { stageOf } from "./testing/stage.ts";
import { freshTenant } from "./testing/tenants.ts";

const forever = AbortSignal.timeout(120_000);

let cluster: KafkaCluster;
let kafka: Kafka;
let admin: Admin;
const [ada, bob] = [freshTenant("ada"), freshTenant("bob")];
const own = tenantTopicName(installation, ada.slug);
const foreign = tenantTopicName(installation, bob.slug);
const prefix = kafkaPrefix(installation, ada.slug);

before(async () => {
  cluster = await openTestCluster();
  for (const tenant of [bob, ada]) {
    const stage = stageOf(tenantKafka(cluster), tenant);
    await stage.provision();
    kafka = cluster.as({
      username: kafkaUserName(tenant.slug),
      password: await stage.secret(kafkaSecret),
    });
  }
  admin = kafka.admin();
  await admin.connect();
});
after(async () => {
  await admin?.disconnect();
  for (const tenant of [ada, bob]) await sweepKafka(cluster, tenant);
  await cluster.admin.disconnect();
});

const refused = (error: unknown): boolean =>
  /[Nn]ot authorized|authorization failed|GroupCoordinatorNotFound/.test(String(error));
const read = (topic: string, group: string) =>
  readUntil({ kafka, topic, group, signal: forever }, ({ key }) => key === probeRecordKey);

describe("a tenant on the shared Kafka, with its own credentials", () => {
  it("writes to its topic and reads from it with a group of its prefix", async () => {
    await produceProbe(kafka, own, "hello");
    await read(own, `${prefix}readers`);
  });

  it("sees its own topic and no other", async () => {
    assert.deepEqual(await admin.listTopics(), [own]);
  });

  for (const [what, topic] of [
    ["another tenant's topic", foreign],
    ["the requests of the platform", topicName(installation, requestsTopic)],
    ["the cluster's offsets", "__consumer_offsets"],
  ] as const) {
    it(`does not write to ${what}`, () => assert.rejects(produceProbe(kafka, topic, "x"), refused));
    it(`does not read ${what}`, () => assert.rejects(read(topic, `${prefix}readers`), refused));
  }

  it("does not read its own topic with a group outside its prefix", () =>
    assert.rejects(read(own, `${kafkaPrefix(installation, bob.slug)}readers`), refused));

  const acts: readonly [string, () => Promise<unknown>][] = [
    ["make a topic", () => admin.createTopics({ topics: [{ topic: `${prefix}more` }] })],
    ["delete its topic", () => admin.deleteTopics({ topics: [own] })],
    ["give itself rights", () => grantPrefix(admin, `User:${kafkaUserName(ada.slug)}`, installation)],
  ];
  for (const [what, act] of acts)
    it(`does not ${what}`, async () => {
      await assert.rejects(act());
      assert.ok((await cluster.admin.listTopics()).includes(own));
      assert.ok(!(await cluster.admin.listTopics()).includes(`${prefix}more`));
    });
});

it("without a password nobody gets in", () =>
  assert.rejects(
    produceProbe(cluster.as({ username: kafkaUserName(bob.slug), password: "guess" }), foreign, "x"),
  ));
