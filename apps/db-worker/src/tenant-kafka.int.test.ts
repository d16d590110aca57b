import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { kafkaUserName, tenantTopicName } from "@deeplens/contracts";
import { crashPoints } from "@deeplens/worker/testing";
import type { KafkaCluster } from "./kafka-cluster.ts";
import { produceProbe } from "./kafka-records.ts";
import { kafkaSecret, tenantKafka } from "./tenant-kafka.ts";
import {
  assertNothingInKafka,
  installation,
  kafkaThings,
  openTestCluster,
  sweepKafka,
} from "./testing/kafka.ts";
import { freshTenant, provisionOf } from "./testing/tenants.ts";

let cluster: KafkaCluster;
before(async () => {
  cluster = await openTestCluster();
});
after(() => cluster.admin.disconnect());

describe("a tenant's topic, user and rights", () => {
  it("rule 12: after a crash at any call they are made whole or undone to nothing", (t) =>
    crashPoints(t, () => {
      const tenant = freshTenant("crash");
      const topic = tenantTopicName(installation, tenant.slug);
      return {
        step: "database",
        installation,
        handler: tenantKafka(cluster),
        command: provisionOf(tenant),
        verifyWhole: async (done, { secrets }) => {
          assert.equal(done.outputs.topic, topic);
          assert.equal(done.outputs.kafkaAuthorization, "acls");
          assert.deepEqual(await kafkaThings(cluster, tenant), {
            topics: [topic],
            groups: [],
            user: true,
            acls: 6,
          });
          const offsets = await cluster.admin.fetchTopicOffsets(topic);
          assert.deepEqual(
            offsets.map(({ low, high }) => low === high),
            [true, true, true],
          );
          const password = (await secrets.of(tenant.tenantId).read(kafkaSecret)) ?? "";
          await produceProbe(cluster.as({ username: kafkaUserName(tenant.slug), password }), topic, "x");
        },
        verifyGone: async (receipt, { ledger }) => {
          assert.ok(receipt.every((line) => line.outcome !== "foreign"));
          assert.ok(ledger.rows().every((row) => row.state === "gone"));
          await assertNothingInKafka(cluster, tenant);
        },
        dispose: () => sweepKafka(cluster, tenant),
      };
    }));
});
