import assert from "node:assert/strict";
import { redisBackupUserName, redisKeyPrefix, redisUserName } from "@deeplens/contracts";
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

const usersOf = ({ slug }: Tenant): string[] => [redisUserName(slug), redisBackupUserName(slug)];

export const assertNothingInRedis = async (server: RedisServer, tenant: Tenant): Promise<void> => {
  for (const user of usersOf(tenant)) assert.equal(await redisUserExists(server.admin, user), false);
  assert.deepEqual(await keysOf(server, tenant), []);
};

/** Removes whatever bears the tenant's names, whoever made it. */
export const sweepRedis = async (server: RedisServer, tenant: Tenant): Promise<void> => {
  await server.admin.call("ACL", "DELUSER", ...usersOf(tenant));
  const keys = await keysOf(server, tenant);
  if (keys.length > 0) await server.admin.unlink(...keys);
  await server.admin.call("ACL", "SAVE");
};
