import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { kafkaUserName, redisUserName } from "@deeplens/contracts";
import { letsIn } from "@deeplens/messaging";
import { type Life, lifeOperations, repairBy, type StepHandler, type Tenant } from "@deeplens/worker";
import {
  type LifeFixture,
  lifeCrashPoints,
  memoryLedger,
  memorySecrets,
  type Stores,
  testContext,
} from "@deeplens/worker/testing";
import { compensate } from "./compensate.ts";
import { databaseLife, isEntryRefusal } from "./database-life.ts";
import type { KafkaCluster } from "./kafka-cluster.ts";
import { kafkaLife } from "./kafka-life.ts";
import { lifeTogether } from "./life.ts";
import { provision } from "./provision.ts";
import { redisLife } from "./redis-life.ts";
import { asRedisUser, isLoginRefusal, isRefusal, type RedisServer } from "./redis-server.ts";
import { databaseSecret, tenantDatabases } from "./tenant-databases.ts";
import { kafkaSecret, tenantKafka } from "./tenant-kafka.ts";
import { redisSecret, tenantRedis } from "./tenant-redis.ts";
import type { TenantServer } from "./tenant-server.ts";
import { assertNothingInKafka, openTestCluster, sweepKafka } from "./testing/kafka.ts";
import {
  assertNothingInPostgres,
  connected,
  openTenantServer,
  sweepPostgres,
  tenantAddress,
} from "./testing/postgres.ts";
import { assertNothingInRedis, openRedisServer, sweepRedis } from "./testing/redis.ts";
import { stageOf } from "./testing/stage.ts";
import { freshTenant, operationOf, provisionOf } from "./testing/tenants.ts";

let server: TenantServer;
let redis: RedisServer;
let cluster: KafkaCluster;
before(async () => {
  [server, redis, cluster] = [openTenantServer(), openRedisServer(), await openTestCluster()];
});
after(async () => {
  redis.admin.disconnect();
  await Promise.all([server.pool.end(), cluster.admin.disconnect()]);
});

const secretOf = async (tenant: Tenant, { secrets }: Stores, purpose: string): Promise<string> =>
  (await secrets.of(tenant.tenantId).read(purpose)) ?? assert.fail(`no secret ${purpose}`);

/** One of the three systems, and how a tenant gets in. */
interface System {
  readonly handler: StepHandler;
  readonly life: Life;
  getsIn(tenant: Tenant, stores: Stores): Promise<boolean>;
  assertNothing(tenant: Tenant): Promise<void>;
  sweep(tenant: Tenant): Promise<void>;
}

// Any other error says nothing of whether the tenant is let in.
const closedBy =
  (isExpected: (error: unknown) => boolean) =>
  (error: unknown): false => {
    if (isExpected(error)) return false;
    throw error;
  };

const postgres = (): System => ({
  handler: tenantDatabases(server),
  life: databaseLife(server),
  getsIn: async (tenant, stores) =>
    connected(
      tenantAddress(server, tenant, await secretOf(tenant, stores, databaseSecret)),
      async () => true,
    ).catch(closedBy(isEntryRefusal)),
  assertNothing: (tenant) => assertNothingInPostgres(server, tenant),
  sweep: (tenant) => sweepPostgres(server, tenant),
});

const redisSystem = (): System => ({
  handler: tenantRedis(redis),
  life: redisLife(redis),
  getsIn: async (tenant, stores) =>
    asRedisUser(
      redis,
      { username: redisUserName(tenant.slug), password: await secretOf(tenant, stores, redisSecret) },
      async (client) => (await client.ping()) === "PONG",
    ).catch(closedBy((error) => isLoginRefusal(error) || isRefusal(error))),
  assertNothing: (tenant) => assertNothingInRedis(redis, tenant),
  sweep: (tenant) => sweepRedis(redis, tenant),
});

const kafkaSystem = (): System => ({
  handler: tenantKafka(cluster),
  life: kafkaLife(cluster),
  getsIn: async (tenant, stores) =>
    letsIn(
      {
        ...{ brokers: cluster.brokers, username: kafkaUserName(tenant.slug) },
        password: await secretOf(tenant, stores, kafkaSecret),
      },
      AbortSignal.timeout(10_000),
    ),
  assertNothing: (tenant) => assertNothingInKafka(cluster, tenant),
  sweep: (tenant) => sweepKafka(cluster, tenant),
});

for (const [name, systemOf] of [
  ["Postgres", postgres],
  ["Redis", redisSystem],
  ["Kafka", kafkaSystem],
] as const)
  test(`rule 17: ${name}: a suspend, a resume or a purge that dies anywhere is done again`, async (t) => {
    const system = systemOf();
    await lifeCrashPoints(t, (): LifeFixture => {
      const tenant = freshTenant("crash");
      return {
        step: "database",
        handler: {
          ...system.handler,
          operations: lifeOperations(system.life),
        },
        command: provisionOf(tenant),
        verifyWhole: async (_done, stores) => assert.equal(await system.getsIn(tenant, stores), true),
        verifySuspended: async (stores) => assert.equal(await system.getsIn(tenant, stores), false),
        verifyGone: async (_receipt, { ledger }) => {
          await system.assertNothing(tenant);
          assert.ok(ledger.rows().every(({ state }) => state === "gone"));
        },
        dispose: () => system.sweep(tenant),
      };
    });
  });

test("rule 16: the whole part is suspended, resumed and purged as one; its passwords go with the purge, not before", async () => {
  const tenant = freshTenant("whole");
  const parts = [tenantDatabases(server), tenantRedis(redis), tenantKafka(cluster)];
  const lives = [databaseLife(server), redisLife(redis), kafkaLife(cluster)];
  const stage = stageOf(
    {
      provision: (command, context) => provision(parts, command, context),
      compensate: (command, context) => compensate(parts, command, context),
      operations: lifeOperations(lifeTogether(lives)),
    },
    tenant,
  );
  try {
    await stage.provision();
    const passwords = () => Promise.all([databaseSecret, redisSecret, kafkaSecret].map(stage.secret));
    const before = await passwords();
    const kinds = async (operation: string) =>
      (await stage.act(operation)).receipt.map(({ kind, outcome }) => `${kind} ${outcome}`);
    const each = (outcome: string) =>
      ["postgres-database", "postgres-role", "redis-user", "kafka-user"].map((kind) => `${kind} ${outcome}`);
    assert.deepEqual(await kinds("suspend"), each("refused"));
    assert.deepEqual(await kinds("resume"), each("answers"));
    await stage.act("suspend");
    assert.deepEqual(await passwords(), before);
    // Undelete: each is new, and proven; done again it is the same new one.
    for (const _again of [1, 2]) await stage.act("resume", "removal", { credentials: "new" });
    const renewed = await passwords();
    for (const [index, password] of renewed.entries()) assert.notEqual(password, before[index]);
    await stage.act("suspend");
    assert.deepEqual(await passwords(), renewed);
    const receipt = await kinds("purge");
    assert.ok(
      receipt.length >= 8 && receipt.every((line) => /(removed|absent)$/.test(line)),
      String(receipt),
    );
    assert.deepEqual(await passwords(), ["", "", ""]);
    await assertNothingInPostgres(server, tenant);
    await assertNothingInRedis(redis, tenant);
    await assertNothingInKafka(cluster, tenant);
  } finally {
    await Promise.all([
      sweepPostgres(server, tenant),
      sweepRedis(redis, tenant),
      sweepKafka(cluster, tenant),
    ]);
  }
});

// Seen to fail with the kept secrets made anew (`renew` for `ensure` in tenant-redis.ts).
test("what was lost with a server is made again by a repair, with the same passwords, and what is there is left alone", async () => {
  const tenant = freshTenant("repair");
  const systems = [postgres(), redisSystem(), kafkaSystem()];
  const parts = [tenantDatabases(server), tenantRedis(redis), tenantKafka(cluster)];
  const stores: Stores = { ledger: memoryLedger(), secrets: memorySecrets() };
  let fence = 0;
  const context = () => testContext({ step: "database", tenant, fence: ++fence, ...stores });
  const repair = () =>
    repairBy((command, of) => provision(parts, command, of))(operationOf(tenant, "repair"), context());
  const passwords = () =>
    Promise.all(
      [databaseSecret, redisSecret, kafkaSecret].map((purpose) => secretOf(tenant, stores, purpose)),
    );
  const letIn = () => Promise.all(systems.map(({ getsIn }) => getsIn(tenant, stores)));
  const key = `tenant:${tenant.slug}:kept`;
  try {
    await provision(parts, provisionOf(tenant), context());
    const before = await passwords();
    await redis.admin.set(key, "theirs");
    await Promise.all([sweepPostgres(server, tenant), sweepKafka(cluster, tenant)]);
    const { receipt } = await repair();
    assert.ok(receipt.length > 0 && receipt.every(({ outcome }) => outcome === "whole"));
    assert.deepEqual(await letIn(), [true, true, true]);
    assert.equal(await redis.admin.get(key), "theirs");
    await sweepRedis(redis, tenant);
    await repair();
    assert.deepEqual(await letIn(), [true, true, true]);
    assert.deepEqual(await passwords(), before);
  } finally {
    await Promise.all(systems.map(({ sweep }) => sweep(tenant)));
  }
});
