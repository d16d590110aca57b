import { redisUserName } from "@deeplens/contracts";
import { missing, ownResource, type Rotation, twoPasswords } from "@deeplens/worker";
import { proveRefused, setUser } from "./redis-life.ts";
import { redisPassword } from "./redis-rules.ts";
import { askingRedis, endRedisSessions, type RedisServer, saveRedisUsers } from "./redis-server.ts";
import { prove, redisSecret, userPort } from "./tenant-redis.ts";

/**
 * A new password for a tenant's Redis user, which may have two. Redis does not say which of them a session came in by:
 * where one ends all sessions are ended, and who has the other comes back at once.
 */
export const redisRotation = (server: RedisServer): Rotation =>
  twoPasswords({
    purpose: redisSecret,
    keyOf: ({ command }) => ({ kind: "redis-user", name: redisUserName(command.tenant.slug) }),
    outputsOf: () => ({}),
    prove: ({ command: { tenant }, context }, { value }, expected) =>
      expected === "answers"
        ? context.call("use Redis as its tenant", () => prove(server, tenant, value))
        : context.call("be refused by Redis", () => proveRefused(server, tenant, value)),
    set: ({ command: { tenant }, context }, passwords) =>
      askingRedis(server, async () => {
        const user = userPort(server, tenant);
        const key = { kind: user.kind, name: user.name };
        if ((await ownResource(context, tenant, user)) === "absent") throw missing(key, tenant.slug);
        // It makes the user anew where it lands after a removal: an intent until it is known to be over (PROTOCOL.md 14).
        await context.ledger.intend(key);
        await context.call("give the Redis user its passwords", () =>
          setUser(server, user.name, "resetpass", ...passwords.map(redisPassword)),
        );
        await context.ledger.made(key);
        await context.call("save the Redis users", () => saveRedisUsers(server.admin));
        if (passwords.length === 1)
          await context.call("end the Redis sessions of the tenant", () =>
            endRedisSessions(server.admin, user.name),
          );
      }),
  });
