import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  applicationRoleName,
  backupRoleName,
  databaseName,
  kafkaPrefix,
  kafkaUserName,
  ownerRoleName,
  redisBackupUserName,
  redisKeyPrefix,
  redisUserName,
  tenantTopicName,
} from "@deeplens/contracts";
import { stack } from "@deeplens/testing";
import type { StepHandler, Tenant } from "@deeplens/worker";
import { stoppedProcess } from "@deeplens/worker/testing";
import { compensate, secretPurposes } from "./compensate.ts";
import type { KafkaCluster } from "./kafka-cluster.ts";
import { provision } from "./provision.ts";
import type { RedisServer } from "./redis-server.ts";
import { tenantDatabases } from "./tenant-databases.ts";
import { tenantKafka } from "./tenant-kafka.ts";
import { tenantRedis } from "./tenant-redis.ts";
import type { TenantServer } from "./tenant-server.ts";
import { assertNothingInKafka, installation, openTestCluster, sweepKafka } from "./testing/kafka.ts";
import { assertNothingInPostgres, openTenantServer, sweepPostgres } from "./testing/postgres.ts";
import { assertNothingInRedis, openRedisServer, sweepRedis } from "./testing/redis.ts";
import { permanently, type Stage, stageOf } from "./testing/stage.ts";
import type { Stall } from "./testing/stalling-provision.ts";
import { freshTenant } from "./testing/tenants.ts";

let server: TenantServer;
let redis: RedisServer;
let cluster: KafkaCluster;
let handler: StepHandler;
let tenant: Tenant;
let stage: Stage;

before(async () => {
  [server, redis, cluster] = [openTenantServer(), openRedisServer(), await openTestCluster()];
  const parts = [tenantDatabases(server), tenantRedis(redis), tenantKafka(cluster)];
  handler = {
    provision: (command, context) => provision(parts, command, context),
    compensate: (command, context) => compensate(parts, command, context),
  };
});
after(async () => {
  redis.admin.disconnect();
  await Promise.all([server.pool.end(), cluster.admin.disconnect()]);
});
beforeEach(() => {
  tenant = freshTenant("step");
  stage = stageOf(handler, tenant);
});
afterEach(() =>
  Promise.all([sweepPostgres(server, tenant), sweepRedis(redis, tenant), sweepKafka(cluster, tenant)]),
);

const assertNothing = async (): Promise<void> => {
  await assertNothingInPostgres(server, tenant);
  await assertNothingInRedis(redis, tenant);
  await assertNothingInKafka(cluster, tenant);
};

describe("the database step", () => {
  it("gives a tenant everything, says where it is, and takes it all back", async () => {
    const { outputs, resources } = await stage.provision();
    const { tenantDb, redis: redisAt, kafka } = stack();
    assert.deepEqual(outputs, {
      host: tenantDb.host,
      port: String(tenantDb.port),
      database: databaseName(tenant.slug),
      ownerRole: ownerRoleName(tenant.slug),
      applicationRole: applicationRoleName(tenant.slug),
      backupRole: backupRoleName(tenant.slug),
      templateVersion: "0001",
      redisHost: redisAt.host,
      redisPort: String(redisAt.port),
      redisUser: redisUserName(tenant.slug),
      redisBackupUser: redisBackupUserName(tenant.slug),
      redisPrefix: redisKeyPrefix(tenant.slug),
      kafkaBrokers: kafka.brokers.join(","),
      kafkaPrefix: kafkaPrefix(installation, tenant.slug),
      kafkaAuthorization: "acls",
      kafkaUser: kafkaUserName(tenant.slug),
      topic: tenantTopicName(installation, tenant.slug),
    });
    assert.equal(resources.length, 10);
    const receipt = await stage.compensate();
    assert.ok(receipt.every(({ outcome }) => outcome === "removed" || outcome === "absent"));
    for (const { kind, name } of resources)
      assert.ok(
        receipt.some((line) => line.kind === kind && line.name === name),
        `${kind} ${name} is in the receipt`,
      );
    await assertNothing();
  });

  it("rule 16: every try uses the stored passwords, none of them is told, and undo removes them last", async () => {
    const first = await stage.provision();
    const passwords = await Promise.all(secretPurposes.map(stage.secret));
    assert.equal(new Set(passwords).size, 5);
    const told = JSON.stringify([first, stage.ledger.rows()]);
    for (const password of passwords) assert.ok(password.length >= 32 && !told.includes(password));
    await stage.provision();
    assert.deepEqual(await Promise.all(secretPurposes.map(stage.secret)), passwords);

    await redis.admin.set(`${redisKeyPrefix(tenant.slug)}kept`, "1");
    await assert.rejects(stage.compensate(), permanently("redis-keys-not-ours"));
    assert.deepEqual(await Promise.all(secretPurposes.map(stage.secret)), passwords);

    await redis.admin.del(`${redisKeyPrefix(tenant.slug)}kept`);
    await stage.compensate();
    assert.deepEqual(
      await Promise.all(secretPurposes.map(stage.secret)),
      secretPurposes.map(() => ""),
    );
    await assertNothing();
  });

  it("a foreign thing in one system undoes what the others made", async () => {
    await redis.admin.call("ACL", "SETUSER", redisUserName(tenant.slug), "on");
    await assert.rejects(stage.provision(), permanently("redis-user-owned-by-other"));
    const receipt = await stage.compensate();
    assert.deepEqual(
      receipt.filter(({ outcome }) => outcome === "foreign").map(({ name }) => name),
      [redisUserName(tenant.slug)],
    );
    await assertNothingInPostgres(server, tenant);
    await assertNothingInKafka(cluster, tenant);
  });
});

describe("a worker that was stopped until its command was given up, and then goes on", () => {
  const workMs = 2_500;

  for (const [stopAt, where] of [
    ["create postgres-database", "before"],
    ["create postgres-database", "inside"],
    ["arrange the Postgres database", "inside"],
    ["open the Postgres database to its roles", "inside"],
    ["create redis-user", "before"],
    ["create kafka-topic", "before"],
    ["create kafka-acls", "before"],
  ] as const)
    it(`rule 13: stopped ${where} "${stopAt}", undone by another: nothing is left`, async () => {
      await reserve();
      const script = new URL("./testing/stalling-provision.ts", import.meta.url);
      const stall: Stall = { tenant, stopAt, where, workMs };
      const stopped = await stoppedProcess(script, stall);
      try {
        await delay(workMs);
        await undone();
        await assertNothing();
        assert.notEqual((await stopped.goOn()).trim(), "provisioned");
        // What was on the wire to Redis or Kafka may have landed: the second look is there for it (rule 14). In
        // Postgres the ended session has seen to it. The ledger keeps the intents of a holder that was not seen ended.
        await assertNothingInPostgres(server, tenant);
        await reserve();
        await undone();
        await assertNothing();
      } finally {
        stopped.end();
      }
    });

  // The ledger that the stopped process had committed its intents to.
  const reserve = (): Promise<void> =>
    stage.intend([
      { kind: "redis-keys", name: `${redisKeyPrefix(tenant.slug)}*` },
      { kind: "redis-user", name: redisUserName(tenant.slug) },
      { kind: "redis-user", name: redisBackupUserName(tenant.slug) },
      { kind: "kafka-topic", name: tenantTopicName(installation, tenant.slug) },
      { kind: "kafka-user", name: kafkaUserName(tenant.slug) },
      { kind: "kafka-acls", name: `User:${kafkaUserName(tenant.slug)}` },
    ]);

  // As the orchestrator does it. A process that stops while it logs in to Postgres keeps every DROP DATABASE waiting
  // for up to a minute (authentication_timeout): the backend takes no signals before it knows who it talks to.
  const undone = async (): Promise<void> => {
    for (let attempt = 1; ; attempt++) {
      try {
        await stage.compensate();
        return;
      } catch (error) {
        if (attempt === 4) throw error;
      }
    }
  };
});
