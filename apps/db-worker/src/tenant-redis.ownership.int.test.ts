import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { promisify } from "node:util";
import { redisKeyPrefix, redisUserName } from "@deeplens/contracts";
import { stack } from "@deeplens/testing";
import type { Tenant } from "@deeplens/worker";
import { asRedisUser, type RedisServer } from "./redis-server.ts";
import { tenantRedis } from "./tenant-redis.ts";
import { assertNothingInRedis, keysOf, openRedisServer, sweepRedis } from "./testing/redis.ts";
import { permanently, type Stage, stageOf } from "./testing/stage.ts";
import { freshTenant } from "./testing/tenants.ts";

const run = promisify(execFile);

let server: RedisServer;
let tenant: Tenant;
let stage: Stage;
before(() => {
  server = openRedisServer();
});
after(() => server.admin.disconnect());
beforeEach(() => {
  tenant = freshTenant("owner");
  stage = stageOf(tenantRedis(server), tenant);
});
afterEach(() => sweepRedis(server, tenant));

const userRule = () => server.admin.call("ACL", "GETUSER", redisUserName(tenant.slug));
const ownKey = (name: string): string => `${redisKeyPrefix(tenant.slug)}${name}`;

describe("what bears the tenant's name in Redis and is somebody else's", () => {
  it("a user made by hand is refused and keeps its rule and its password", async () => {
    const name = redisUserName(tenant.slug);
    await server.admin.call("ACL", "SETUSER", name, "on", ">theirs", "~theirs:*", "+get");
    const before = await userRule();
    await assert.rejects(stage.provision(), permanently("redis-user-owned-by-other"));
    const receipt = await stage.compensate();
    assert.deepEqual(
      receipt.map(({ kind, outcome }) => [kind, outcome]),
      [
        ["redis-user", "foreign"],
        ["redis-user", "absent"],
        ["redis-keys", "absent"],
      ],
    );
    assert.deepEqual(await userRule(), before);
    await asRedisUser(server, { username: name, password: "theirs" }, (client) => client.get("theirs:a"));
  });

  it("keys that lay under the prefix before are refused and keep every byte", async () => {
    await server.admin.hset(ownKey("theirs"), "a", "1");
    const before = await server.admin.dumpBuffer(ownKey("theirs"));
    await assert.rejects(stage.provision(), permanently("redis-keys-owned-by-other"));
    const receipt = await stage.compensate();
    assert.deepEqual(
      receipt.map(({ kind, outcome }) => [kind, outcome]),
      [
        ["redis-user", "absent"],
        ["redis-user", "absent"],
        ["redis-keys", "foreign"],
      ],
    );
    assert.deepEqual(await server.admin.dumpBuffer(ownKey("theirs")), before);
  });
});

describe("undoing a tenant's share of Redis", () => {
  it("keys that its provisioning did not write are refused, and the user is still there", async () => {
    await stage.provision();
    await server.admin.set(ownKey("kept"), "1");
    const before = await userRule();
    await assert.rejects(stage.compensate(), permanently("redis-keys-not-ours"));
    assert.equal(await server.admin.get(ownKey("kept")), "1");
    assert.deepEqual(await userRule(), before);
  });

  it("a probe that a crash left is removed with the user", async () => {
    await stage.provision();
    await server.admin.set(ownKey(".deeplens-probe"), "left");
    const receipt = await stage.compensate();
    assert.deepEqual(
      receipt.map(({ outcome }) => outcome),
      ["removed", "removed", "removed"],
    );
    await assertNothingInRedis(server, tenant);
  });

  it("leaves the neighbour alone whose slug begins with the same letters", async () => {
    await stage.provision();
    const neighbour = `tenant:${tenant.slug}-x:a`;
    await server.admin.set(neighbour, "1", "EX", 60);
    await stage.compensate();
    assert.equal(await server.admin.get(neighbour), "1");
    assert.deepEqual(await keysOf(server, tenant), []);
    await server.admin.del(neighbour);
  });
});

it("the user stands in the file that Redis reads at its start, and after the undo no more", async () => {
  const inFile = async (): Promise<boolean> => {
    const container = `${stack().installation}-redis`;
    const { stdout } = await run("docker", ["exec", container, "cat", "/data/users.acl"]);
    return stdout.includes(`user ${redisUserName(tenant.slug)} `);
  };
  await stage.provision();
  assert.equal(await inFile(), true);
  await stage.compensate();
  assert.equal(await inFile(), false);
});
