import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { applicationRoleName, redisUserName, tenantTopicName } from "@deeplens/contracts";
import { quoteIdentifier } from "@deeplens/postgres";
import type { OperationDone, StepHandler, Tenant } from "@deeplens/worker";
import type { KafkaCluster } from "./kafka-cluster.ts";
import { probeDatabase } from "./probe.ts";
import { provision } from "./provision.ts";
import type { RedisServer } from "./redis-server.ts";
import { tenantDatabases } from "./tenant-databases.ts";
import { tenantKafka } from "./tenant-kafka.ts";
import { tenantRedis } from "./tenant-redis.ts";
import type { TenantServer } from "./tenant-server.ts";
import { installation, openTestCluster, sweepKafka } from "./testing/kafka.ts";
import { openTenantServer, sweepPostgres } from "./testing/postgres.ts";
import { openRedisServer, sweepRedis } from "./testing/redis.ts";
import { type Stage, stageOf } from "./testing/stage.ts";
import { freshTenant } from "./testing/tenants.ts";

// A tenant as it was made; then one thing after another is broken, seen to be found, and mended.

let server: TenantServer;
let redis: RedisServer;
let cluster: KafkaCluster;
let stage: Stage;
const tenant: Tenant = freshTenant("probe");

before(async () => {
  [server, redis, cluster] = [openTenantServer(), openRedisServer(), await openTestCluster()];
  const parts = [tenantDatabases(server), tenantRedis(redis), tenantKafka(cluster)];
  const handler: StepHandler = {
    provision: (command, context) => provision(parts, command, context),
    compensate: async () => [],
    operations: { probe: probeDatabase({ server, redis, cluster }) },
  };
  stage = stageOf(handler, tenant);
  await stage.provision();
});
after(async () => {
  await Promise.all([sweepPostgres(server, tenant), sweepRedis(redis, tenant), sweepKafka(cluster, tenant)]);
  redis.admin.disconnect();
  await Promise.all([server.pool.end(), cluster.admin.disconnect()]);
});

const probe = (): Promise<OperationDone> => stage.act("probe");
const role = quoteIdentifier(applicationRoleName(tenant.slug));

const foundIll = async (thing: string, reason: RegExp): Promise<void> => {
  const { outputs } = await probe();
  assert.equal(outputs.ok, "false");
  assert.equal(outputs[`${thing}.ok`], "false", JSON.stringify(outputs));
  assert.match(outputs[`${thing}.reason`] ?? "", reason);
  for (const other of ["postgres", "redis", "kafka"].filter((one) => one !== thing))
    assert.equal(outputs[`${other}.ok`], "true", JSON.stringify(outputs));
};

const foundWell = async (): Promise<void> => {
  const { outputs } = await probe();
  assert.equal(outputs.ok, "true", JSON.stringify(outputs));
};

test("a tenant's database, Redis and topic are seen with its own credentials: versions, sizes, connections", async () => {
  const { outputs, resources } = await probe();
  assert.equal(outputs.ok, "true", JSON.stringify(outputs));
  assert.deepEqual(resources, []);
  assert.match(outputs["postgres.version"] ?? "", /^\d+\.\d+$/);
  assert.ok(Number(outputs["postgres.usedBytes"]) > 1_000_000);
  assert.equal(outputs["postgres.connections"], "1 of 20");
  assert.match(outputs["redis.version"] ?? "", /^\d+\.\d+/);
  assert.equal(outputs["kafka.partitions"], "3");
});

test("a role that may not log in is found, and only Postgres is ill", async () => {
  await server.pool.query(`ALTER ROLE ${role} NOLOGIN`);
  await foundIll("postgres", /is not permitted to log in/);
  await server.pool.query(`ALTER ROLE ${role} LOGIN`);
  await foundWell();
});

test("a connection limit that is not the tier's is drift", async () => {
  await server.pool.query(`ALTER ROLE ${role} CONNECTION LIMIT 7`);
  await foundIll("postgres", /may have 7 connections, and tier free allows 20/);
  assert.equal((await probe()).outputs.code, "postgres-drift");
  await server.pool.query(`ALTER ROLE ${role} CONNECTION LIMIT 20`);
  await foundWell();
});

test("a Redis user that was switched off, or lost its keys, is found", async () => {
  const user = redisUserName(tenant.slug);
  await redis.admin.call("ACL", "SETUSER", user, "off");
  await foundIll("redis", /WRONGPASS/);
  await redis.admin.call("ACL", "SETUSER", user, "on", "resetkeys", "~other:*");
  await foundIll("redis", /NOPERM/);
  await redis.admin.call("ACL", "SETUSER", user, "resetkeys", `~tenant:${tenant.slug}:*`);
  await foundWell();
});

test("a topic that is not there any more is found", async () => {
  const topic = tenantTopicName(installation, tenant.slug);
  await cluster.admin.deleteTopics({ topics: [topic] });
  await foundIll("kafka", /topic/i);
});
