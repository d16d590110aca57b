import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import {
  backupRoleName,
  databaseName,
  redisBackupUserName,
  redisKeyPrefix,
  tiers,
} from "@deeplens/contracts";
import { asRedisUser, isRefusal, type RedisServer } from "./redis-server.ts";
import { databaseBackupSecret, databaseSecret, tenantDatabases } from "./tenant-databases.ts";
import { redisBackupSecret, tenantRedis } from "./tenant-redis.ts";
import { adminAddress, type TenantServer, withClient } from "./tenant-server.ts";
import { openTenantServer, sweepPostgres, tenantAddress } from "./testing/postgres.ts";
import { openRedisServer, sweepRedis } from "./testing/redis.ts";
import { type Stage, stageOf } from "./testing/stage.ts";
import { freshTenant } from "./testing/tenants.ts";

let server: TenantServer;
let redis: RedisServer;
let stage: Stage;
let other: Stage;
const never = new AbortController().signal;

before(() => {
  [server, redis] = [openTenantServer(), openRedisServer()];
});
after(async () => {
  redis.admin.disconnect();
  await server.pool.end();
});
afterEach(async () => {
  for (const { tenant } of [stage, other]) {
    await sweepPostgres(server, tenant);
    await sweepRedis(redis, tenant);
  }
});

describe("what reads a tenant's database for its backups", () => {
  beforeEach(async () => {
    [stage, other] = [freshTenant("reader"), freshTenant("reader")].map((tenant) =>
      stageOf(tenantDatabases(server), tenant),
    ) as [Stage, Stage];
    await stage.provision();
  });

  const address = async (database = databaseName(stage.tenant.slug)) => ({
    host: server.host,
    port: server.port,
    database,
    user: backupRoleName(stage.tenant.slug),
    password: await stage.secret(databaseBackupSecret),
  });

  it("reads every table and sequence, those of later migrations and schemas too, and writes none", async () => {
    const owner = `"tenant_${stage.tenant.slug.replaceAll("-", "_")}_owner"`;
    await withClient(adminAddress(server, databaseName(stage.tenant.slug)), never, async (admin) => {
      await admin.query(`GRANT CREATE ON DATABASE "${databaseName(stage.tenant.slug)}" TO ${owner}`);
      await admin.query(
        `SET ROLE ${owner}; CREATE TABLE later (id serial); CREATE SCHEMA extra; CREATE TABLE extra.later (a int)`,
      );
    });
    await withClient(await address(), never, async (client) => {
      for (const table of ["collections", "images", "migrations", "later", "later_id_seq", "extra.later"])
        await client.query(`SELECT * FROM ${table}`);
      for (const statement of [
        "INSERT INTO collections (name) VALUES ('x')",
        "DELETE FROM images",
        "CREATE TABLE mine (a int)",
        "SELECT nextval('later_id_seq')",
      ])
        await assert.rejects(client.query(statement), /permission denied/, statement);
    });
  });

  it("does not get into another tenant's database", async () => {
    await other.provision();
    const theirs = await address(databaseName(other.tenant.slug));
    await assert.rejects(
      withClient(theirs, never, (client) => client.query("SELECT 1")),
      /permission denied for database/,
    );
  });

  it("is let in while the tenant holds all of its own connections", async () => {
    const own = tenantAddress(server, stage.tenant, await stage.secret(databaseSecret));
    const held = Promise.withResolvers<void>();
    const holders = Array.from({ length: tiers.free.databaseConnections }, () =>
      withClient(own, never, async (client) => {
        await client.query("SELECT 1");
        await held.promise;
      }),
    );
    try {
      for (let tries = 0; tries < 100; tries++) {
        const { rowCount } = await server.pool.query("SELECT FROM pg_stat_activity WHERE datname = $1", [
          databaseName(stage.tenant.slug),
        ]);
        if (rowCount === holders.length) break;
      }
      await withClient(await address(), never, (client) => client.query("SELECT 1"));
    } finally {
      held.resolve();
      await Promise.all(holders);
    }
  });
});

describe("what reads a tenant's keys for its backups", () => {
  beforeEach(async () => {
    [stage, other] = [freshTenant("reader"), freshTenant("reader")].map((tenant) =>
      stageOf(tenantRedis(redis), tenant),
    ) as [Stage, Stage];
    await stage.provision();
  });

  it("dumps the tenant's keys; reads no others, and writes none", async () => {
    const [own, theirs] = [stage, other].map(({ tenant }) => `${redisKeyPrefix(tenant.slug)}a`) as [
      string,
      string,
    ];
    await redis.admin.mset(own, "1", theirs, "2");
    const username = redisBackupUserName(stage.tenant.slug);
    const password = await stage.secret(redisBackupSecret);
    await asRedisUser(redis, { username, password }, async (client) => {
      assert.ok((await client.dumpBuffer(own)).length > 0);
      assert.equal(await client.pexpiretime(own), -1);
      await client.scan(0, "MATCH", `${redisKeyPrefix(stage.tenant.slug)}*`);
      for (const attempt of [
        () => client.dump(theirs),
        () => client.get(own),
        () => client.set(own, "3"),
        () => client.del(own),
        () => client.publish(own, "x"),
        () => client.call("ACL", "LIST"),
      ])
        await assert.rejects(attempt(), isRefusal);
    });
  });
});
