import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { redisUserName } from "@deeplens/contracts";
import { crashPoints } from "@deeplens/worker/testing";
import { asRedisUser, type RedisServer } from "./redis-server.ts";
import { redisSecret, tenantRedis } from "./tenant-redis.ts";
import { assertNothingInRedis, keysOf, openRedisServer, sweepRedis } from "./testing/redis.ts";
import { freshTenant, provisionOf } from "./testing/tenants.ts";

let server: RedisServer;
before(() => {
  server = openRedisServer();
});
after(() => server.admin.disconnect());

describe("a tenant's Redis user", () => {
  it("rule 12: after a crash at any call it is made whole or undone to nothing", (t) =>
    crashPoints(t, () => {
      const tenant = freshTenant("crash");
      return {
        step: "database",
        handler: tenantRedis(server),
        command: provisionOf(tenant),
        verifyWhole: async (done, { secrets }) => {
          const { redisUser, redisPrefix } = done.outputs;
          assert.equal(redisUser, redisUserName(tenant.slug));
          const password = (await secrets.of(tenant.tenantId).read(redisSecret)) ?? "";
          await asRedisUser(server, { username: redisUser ?? "", password }, async (client) => {
            await client.set(`${redisPrefix}a`, "1");
            assert.equal(await client.get(`${redisPrefix}a`), "1");
            await client.del(`${redisPrefix}a`);
          });
          assert.deepEqual(await keysOf(server, tenant), []);
        },
        verifyGone: async (receipt, { ledger }) => {
          assert.deepEqual(
            receipt.map((line) => line.kind),
            ["redis-user", "redis-user", "redis-keys"],
          );
          assert.ok(ledger.rows().every((row) => row.state === "gone"));
          await assertNothingInRedis(server, tenant);
        },
        dispose: () => sweepRedis(server, tenant),
      };
    }));
});
