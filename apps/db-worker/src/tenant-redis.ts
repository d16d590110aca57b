import { type ReceiptLine, redisBackupUserName, redisKeyPrefix, redisUserName } from "@deeplens/contracts";
import {
  ensureResource,
  nothing,
  type PartCommand,
  PermanentStepError,
  removeResource,
  type StepContext,
  type StepDone,
  type Tenant,
  type UndoCommand,
  unlabelled,
} from "@deeplens/worker";
import type { DatabasePart } from "./provision.ts";
import { redisBackupRule, redisRule } from "./redis-rules.ts";
import {
  askingRedis,
  asRedisUser,
  isRefusal,
  keysLike,
  knownCommands,
  type RedisServer,
  redisUserExists,
  saveRedisUsers,
} from "./redis-server.ts";

export const redisSecret = "redis.user";
export const redisBackupSecret = "redis.backup";

/**
 * A tenant's share of Redis: a user that reaches the keys and channels of its prefix and nothing else. Neither users
 * nor keys bear a label, so the ledger alone says whose they are: keys that were there before, like a user made by
 * hand, are somebody else's.
 */
export const tenantRedis = (server: RedisServer): DatabasePart => ({
  provision: (command, context) => askingRedis(server, () => provision(server, command, context)),
  compensate: (command, context) => askingRedis(server, () => compensate(server, command, context)),
});

const provision = async (
  server: RedisServer,
  { tenant }: PartCommand,
  context: StepContext,
): Promise<StepDone> => {
  const password = (await context.secrets.ensure(redisSecret)).value;
  // Asked in a call of its own: a call that makes something sends one request, so that none starts after a deadline.
  const known = await context.call("ask Redis what its commands are", () => knownCommands(server.admin));
  const backupPassword = (await context.secrets.ensure(redisBackupSecret)).value;
  const user = userPort(server, tenant, redisRule(tenant.slug, password, known));
  const backup = backupUserPort(server, tenant, redisBackupRule(tenant.slug, backupPassword));
  const keys = keysPort(server, tenant);
  if (!(await hasRow(context, tenant, keys))) await ensureResource(context, tenant, keys);
  for (const one of [user, backup]) {
    if ((await ensureResource(context, tenant, one)) === "created") continue;
    // It makes the user anew where it lands after an undo: an intent until it is known to be over (PROTOCOL.md 14).
    await context.ledger.intend({ kind: one.kind, name: one.name });
    await context.call("set the Redis user again", () => one.create());
    await context.ledger.made({ kind: one.kind, name: one.name });
  }
  await context.call("save the Redis users", () => saveRedisUsers(server.admin));
  await context.call("use Redis as its tenant", () => prove(server, tenant, password));
  return {
    outputs: {
      redisHost: server.host,
      redisPort: String(server.port),
      redisUser: user.name,
      redisPrefix: redisKeyPrefix(tenant.slug),
      redisBackupUser: backup.name,
    },
    resources: [
      { kind: user.kind, name: user.name },
      { kind: backup.kind, name: backup.name },
      { kind: keys.kind, name: keys.name },
    ],
  };
};

// The user goes first, with its sessions: what it wrote is then all there is.
const compensate = async (
  server: RedisServer,
  { tenant }: UndoCommand,
  context: StepContext,
): Promise<readonly ReceiptLine[]> => {
  const keys = keysPort(server, tenant);
  if (await hasRow(context, tenant, keys))
    await context.call("look into the Redis keys", async (signal) => {
      refuseForeign(tenant, await keysLike(server.admin, patternOf(tenant), signal));
    });
  const backup = await removeResource(context, tenant, backupUserPort(server, tenant));
  const user = await removeResource(context, tenant, userPort(server, tenant));
  // Also where the user is gone already: a try before may have died between the two.
  if (user.outcome !== "foreign" || backup.outcome !== "foreign")
    await context.call("save the Redis users", () => saveRedisUsers(server.admin));
  return [user, backup, await removeResource(context, tenant, keys)];
};

const hasRow = async (
  context: StepContext,
  tenant: Tenant,
  { kind, name }: { kind: string; name: string },
): Promise<boolean> => {
  const row = await context.ledger.find({ kind, name });
  return row?.owner === tenant.tenantId && row.state !== "gone";
};

export const userPort = (server: RedisServer, tenant: Tenant, rule: readonly string[] = []) =>
  aclUser(server, redisUserName(tenant.slug), rule);

export const backupUserPort = (server: RedisServer, tenant: Tenant, rule: readonly string[] = []) =>
  aclUser(server, redisBackupUserName(tenant.slug), rule);

const aclUser = (server: RedisServer, name: string, rule: readonly string[]) => {
  return {
    kind: "redis-user",
    name,
    look: async () => ((await redisUserExists(server.admin, name)) ? unlabelled : nothing),
    create: async () => {
      await server.admin.call("ACL", "SETUSER", name, ...rule);
    },
    remove: async () => {
      await server.admin.call("ACL", "DELUSER", name);
    },
  };
};

export const keysPort = (server: RedisServer, tenant: Tenant) => ({
  kind: "redis-keys",
  name: patternOf(tenant),
  look: async (signal: AbortSignal) =>
    (await keysLike(server.admin, patternOf(tenant), signal, 1)).length > 0 ? unlabelled : nothing,
  create: async () => undefined, // a prefix is there as soon as it is written under; the ledger's row reserves it
  remove: async (signal: AbortSignal) => {
    const keys = await keysLike(server.admin, patternOf(tenant), signal);
    refuseForeign(tenant, keys);
    if (keys.length > 0) await server.admin.unlink(...keys);
  },
});

export const patternOf = (tenant: Tenant): string => `${redisKeyPrefix(tenant.slug)}*`;
const probeKey = (tenant: Tenant): string => `${redisKeyPrefix(tenant.slug)}.deeplens-probe`;

const refuseForeign = (tenant: Tenant, keys: readonly string[]): void => {
  const foreign = keys.filter((key) => key !== probeKey(tenant));
  if (foreign.length > 0)
    throw new PermanentStepError(
      "redis-keys-not-ours",
      `Redis holds ${foreign.length} keys under ${redisKeyPrefix(tenant.slug)} that the provisioning of tenant ${tenant.slug} did not put there (${foreign.slice(0, 5).join(", ")}); nothing was removed. Save or remove them, then retry the rollback`,
    );
};

/**
 * With the tenant's own password: a key in and out again, and what is not its own refused. The probe key expires by
 * itself where the process dies before it is deleted.
 */
export const prove = (server: RedisServer, tenant: Tenant, password: string): Promise<void> =>
  asRedisUser(server, { username: redisUserName(tenant.slug), password }, async (client) => {
    await client.set(probeKey(tenant), tenant.tenantId, "EX", 60);
    const value = await client.get(probeKey(tenant));
    await client.del(probeKey(tenant));
    if (value !== tenant.tenantId) throw new Error("Redis did not give back the key that was set");
    const outside = [
      () => client.get(`tenant:-${tenant.slug}:.deeplens-probe`),
      () => client.publish(`tenant:-${tenant.slug}:.deeplens-probe`, "probe"),
      () => client.call("ACL", "LIST"),
    ];
    for (const attempt of outside)
      if (!(await refused(attempt)))
        throw new Error(`Redis lets tenant ${tenant.slug} reach what is not its own`);
  });

const refused = async (attempt: () => Promise<unknown>): Promise<boolean> => {
  try {
    await attempt();
    return false;
  } catch (error) {
    if (isRefusal(error)) return true;
    throw error;
  }
};
