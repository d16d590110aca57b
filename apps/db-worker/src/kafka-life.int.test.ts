import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, it } from "node:test";
import { kafkaPrefix, kafkaUserName, tenantTopicName } from "@deeplens/contracts";
import { createProducer, type Kafka } from "@deeplens/messaging";
import { lifeOperations, type Tenant } from "@deeplens/worker";
import type { KafkaCluster } from "./kafka-cluster.ts";
import { kafkaLife } from "./kafka-life.ts";
import { readUntil } from "./kafka-records.ts";
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

let cluster: KafkaCluster;
let tenant: Tenant;
let stage: Stage;
before(async () => {
  cluster = await openTestCluster();
});
after(() => cluster.admin.disconnect());
beforeEach(async () => {
  tenant = freshTenant("life");
  stage = stageOf({ ...tenantKafka(cluster), operations: lifeOperations(kafkaLife(cluster)) }, tenant);
  await stage.provision();
});
const opened: { disconnect(): Promise<void> }[] = [];
afterEach(async () => {
  for (const client of opened.splice(0)) await client.disconnect();
  await sweepKafka(cluster, tenant);
});

const topic = () => tenantTopicName(installation, tenant.slug);
const ownKafka = async (): Promise<Kafka> =>
  cluster.as({ username: kafkaUserName(tenant.slug), password: await stage.secret(kafkaSecret) });
const openProducer = async () => {
  const producer = createProducer(await ownKafka());
  opened.push(producer);
  await producer.connect();
  return producer;
};
const send = (producer: ReturnType<typeof createProducer>, key: string) =>
  producer.send({ topic: topic(), acks: -1, messages: [{ key, value: "an event" }] });
const outcomes = ({ receipt }: Awaited<ReturnType<Stage["act"]>>) => receipt.map(({ outcome }) => outcome);
const signal = AbortSignal.timeout(120_000);

// Seen to fail without the denial (the open session goes on), and without the new password (a session is opened).
it("rule 17: suspended, open sessions are denied and new ones refused; resumed, all records are there under the same password", async () => {
  const producer = await openProducer();
  await send(producer, "first");
  assert.deepEqual(outcomes(await stage.act("suspend")), ["refused"]);
  await assert.rejects(send(producer, "second"), /[Nn]ot authorized|authorization failed/);
  await assert.rejects(openProducer());
  assert.deepEqual(outcomes(await stage.act("suspend")), ["refused"]);
  assert.deepEqual(outcomes(await stage.act("resume", "resume")), ["answers"]);
  const again = await openProducer();
  await send(again, "third");
  const keys: (string | undefined)[] = [];
  const group = `${kafkaPrefix(installation, tenant.slug)}readers`;
  await readUntil({ kafka: await ownKafka(), topic: topic(), group, signal }, ({ key }) => {
    keys.push(key);
    return keys.includes("first") && keys.includes("third");
  });
  assert.ok(!keys.includes("second"));
});

it("rule 17: purge destroys the topic with its records, the user, its rights and its groups, and finds nothing the second time", async () => {
  const producer = await openProducer();
  await send(producer, "first");
  const group = `${kafkaPrefix(installation, tenant.slug)}readers`;
  await readUntil({ kafka: await ownKafka(), topic: topic(), group, signal }, () => true);
  assert.deepEqual((await kafkaThings(cluster, tenant)).groups, [group]);
  await stage.act("suspend");
  assert.deepEqual(outcomes(await stage.act("purge")), ["removed", "removed", "removed", "removed"]);
  await assertNothingInKafka(cluster, tenant);
  const again = await stage.act("purge", "removal", { purpose: "second-look" });
  assert.deepEqual(outcomes(again), ["absent", "absent", "absent"]);
  assert.ok(stage.ledger.rows().every(({ state }) => state === "gone"));
});

// Seen to fail with lifeOperations and removeResource that ask for no mark.
it("rule 17: a purge without the mark, or with another saga's, leaves everything", async () => {
  await assert.rejects(stage.act("purge"), permanently("not-marked"));
  await stage.act("suspend", "another removal");
  await assert.rejects(stage.act("purge"), permanently("not-marked"));
  const there = await kafkaThings(cluster, tenant);
  assert.deepEqual([there.topics, there.user], [[topic()], true]);
});

it("a user that somebody removed is suspended as it is, and not resumed", async () => {
  await cluster.users.remove(kafkaUserName(tenant.slug), signal);
  assert.deepEqual(outcomes(await stage.act("suspend")), ["absent"]);
  await assert.rejects(stage.act("resume"), permanently("kafka-user-missing"));
});
