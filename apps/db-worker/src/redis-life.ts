import { redisUserName } from "@deeplens/contracts";
import {
  credentialOf,
  type Life,
  missing,
  type Operation,
  type OperationDone,
  operationDone,
  ownResource,
  removeResource,
  type Tenant,
} from "@deeplens/worker";
import { redisPassword } from "./redis-rules.ts";
import {
  askingRedis,
  asRedisUser,
  endRedisSessions,
  isLoginRefusal,
  type RedisServer,
  saveRedisUsers,
  unlinkKeysLike,
} from "./redis-server.ts";
import { backupUserPort, keysPort, patternOf, prove, redisSecret, userPort } from "./tenant-redis.ts";

/**
 * A tenant's share of Redis after its making. Suspended, its user is off, with its password and its rights as they are,
 * and its sessions are ended; its keys stay.
 */
export const redisLife = (server: RedisServer): Life => {
  const asking =
    (operation: Operation): Operation =>
    (command, context) =>
      askingRedis(server, () => operation(command, context));
  return { suspend: asking(suspend(server)), resume: asking(resume(server)), purge: asking(purge(server)) };
};

const suspend =
  (server: RedisServer): Operation =>
  async ({ tenant }, context) => {
    const user = userPort(server, tenant);
    // Asked first: ACL SETUSER makes a user that is not there.
    if ((await ownResource(context, tenant, user)) === "absent") return answer(tenant, "absent");
    await context.call("turn the Redis user off", () => setUser(server, user.name, "off"));
    await context.call("save the Redis users", () => saveRedisUsers(server.admin));
    await context.call("end the Redis sessions of the tenant", () =>
      endRedisSessions(server.admin, user.name),
    );
    const password = await context.secrets.read(redisSecret);
    if (password !== undefined)
      await context.call("be refused by Redis", () => proveRefused(server, tenant, password));
    return answer(tenant, "refused");
  };

const resume =
  (server: RedisServer): Operation =>
  async (command, context) => {
    const { tenant } = command;
    const user = userPort(server, tenant);
    const password = (await credentialOf(command, context, redisSecret))?.value;
    if ((await ownResource(context, tenant, user)) === "absent" || password === undefined)
      throw missing({ kind: user.kind, name: user.name }, tenant.slug);
    await context.call("turn the Redis user on", () =>
      setUser(server, user.name, "on", "resetpass", redisPassword(password)),
    );
    await context.call("save the Redis users", () => saveRedisUsers(server.admin));
    await context.call("use Redis as its tenant", () => prove(server, tenant, password));
    return answer(tenant, "answers");
  };

// The user goes first, with its sessions: nobody writes a key any more.
const purge =
  (server: RedisServer): Operation =>
  async ({ tenant, sagaId }, context) => {
    const backup = await removeResource(context, tenant, backupUserPort(server, tenant), { sagaId });
    const user = await removeResource(context, tenant, userPort(server, tenant), { sagaId });
    if (user.outcome !== "foreign" || backup.outcome !== "foreign")
      await context.call("save the Redis users", () => saveRedisUsers(server.admin));
    const keys = {
      ...keysPort(server, tenant),
      remove: (signal: AbortSignal) => unlinkKeysLike(server.admin, patternOf(tenant), signal),
    };
    return operationDone([user, backup, await removeResource(context, tenant, keys, { sagaId })]);
  };

export const setUser = async (
  server: RedisServer,
  name: string,
  ...rules: readonly string[]
): Promise<void> => {
  await server.admin.call("ACL", "SETUSER", name, ...rules);
};

export const proveRefused = async (server: RedisServer, tenant: Tenant, password: string): Promise<void> => {
  const login = { username: redisUserName(tenant.slug), password };
  try {
    await asRedisUser(server, login, (client) => client.ping());
  } catch (error) {
    if (isLoginRefusal(error)) return;
    throw error;
  }
  throw new Error(`Redis still lets tenant ${tenant.slug} in`);
};

const answer = (tenant: Tenant, outcome: string): OperationDone =>
  operationDone([{ kind: "redis-user", name: redisUserName(tenant.slug), outcome }]);
