import assert from "node:assert/strict";
import { redisKeyPrefix, redisUserName } from "@deeplens/contracts";
import { stack } from "@deeplens/testing";
import type { Tenant } from "@deeplens/worker";
import { connectRedis, keysLike, type RedisServer, redisUserExists } from "../redis-server.ts";

/** The test installation's Redis; disconnect its `admin` when done. */
export const openRedisServer = (): RedisServer => {
  const { host, port, adminUser, password } = stack().redis;
  return connectRedis({ host, port, username: adminUser, password, onError: () => undefined });
};

export const keysOf = (server: RedisServer, tenant: Tenant): Promise<string[]> =>
  keysLike(server.admin, `${redisKeyPrefix(tenant.slug)}*`, new AbortController().signal);

export const assertNothingInRedis = async (server: RedisServer, tenant: Tenant): Promise<void> => {
  assert.equal(await redisUserExists(server.admin, redisUserName(tenant.slug)), false);
  assert.deepEqual(await keysOf(server, tenant), []);
};

/** Removes whatever bears the tenant's names, whoever made it. */
export const sweepRedis = async (server: RedisServer, tenant: Tenant): Promise<void> => {
  await server.admin.call("ACL", "DELUSER", redisUserName(tenant.slug));
  const keys = await keysOf(server, tenant);
  if (keys.length > 0) await server.admin.unlink(...keys);
  await server.admin.call("ACL", "SAVE");
};
