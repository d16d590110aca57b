import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, describe, it } from "node:test";
import { redisKeyPrefix, redisUserName } from "@deeplens/contracts";
import type { Redis } from "ioredis";
import { asRedisUser, isRefusal, type RedisServer } from "./redis-server.ts";
import { redisSecret, tenantRedis } from "./tenant-redis.ts";
import { openRedisServer, sweepRedis } from "./testing/redis.ts";
import { stageOf } from "./testing/stage.ts";
import { freshTenant } from "./testing/tenants.ts";

let server: RedisServer;
const [ada, bob] = [freshTenant("ada"), freshTenant("bob")];
const own = redisKeyPrefix(ada.slug);
const foreign = redisKeyPrefix(bob.slug);
const passwords = new Map<string, string>();

before(async () => {
  server = openRedisServer();
  for (const tenant of [ada, bob]) {
    const stage = stageOf(tenantRedis(server), tenant);
    await stage.provision();
    passwords.set(tenant.slug, await stage.secret(redisSecret));
  }
  await server.admin.set(`${foreign}secret`, "bob's");
});
after(async () => {
  for (const tenant of [ada, bob]) await sweepRedis(server, tenant);
  server.admin.disconnect();
});

const as = <T>(tenant: typeof ada, work: (client: Redis) => Promise<T>): Promise<T> =>
  asRedisUser(
    server,
    { username: redisUserName(tenant.slug), password: passwords.get(tenant.slug) ?? "" },
    work,
  );

describe("a tenant in the shared Redis", () => {
  it("works with every kind of data under its prefix", () =>
    as(ada, async (client) => {
      const key = (name: string): string => `${own}${name}`;
      await client.multi().set(key("s"), "1").incr(key("s")).expire(key("s"), 60).exec();
      await client.hset(key("h"), "a", "1");
      await client.lpush(key("l"), "1");
      await client.sadd(key("t"), "1");
      await client.zadd(key("z"), 1, "1");
      await client.geoadd(key("g"), 2.35, 48.85, "Paris");
      await client.xadd(key("x"), "*", "a", "1");
      await client.pfadd(key("p"), "1");
      assert.equal(await client.eval("return redis.call('GET', KEYS[1])", 1, key("s")), "2");
      await client.rename(key("s"), key("s2"));
      await client.del(...["s2", "h", "l", "t", "z", "g", "x", "p"].map(key));
    }));

  it("speaks and listens on its own channels", () =>
    as(ada, (listener) =>
      as(ada, async (speaker) => {
        await listener.subscribe(`${own}news`);
        const heard = once(listener, "message");
        await speaker.publish(`${own}news`, "hello");
        assert.deepEqual(await heard, [`${own}news`, "hello"]);
      }),
    ));

  const refusals: readonly [string, (client: Redis) => Promise<unknown>][] = [
    ["reads another tenant's key", (client) => client.get(`${foreign}secret`)],
    ["writes another tenant's key", (client) => client.set(`${foreign}mine`, "1")],
    ["removes another tenant's key", (client) => client.del(`${foreign}secret`)],
    ["names another's key among its own", (client) => client.mget(`${own}a`, `${foreign}secret`)],
    ["renames a key into another's prefix", (client) => client.rename(`${own}a`, `${foreign}a`)],
    ["reads a key without any prefix", (client) => client.get("secret")],
    [
      "reaches another's key from a script that does not name it",
      (client) => client.eval(`return redis.call('GET', '${foreign}secret')`, 0),
    ],
    [
      "reaches another's key from a script that names it",
      (client) => client.eval("return redis.call('GET', KEYS[1])", 1, `${foreign}secret`),
    ],
    ["writes to another's channel", (client) => client.publish(`${foreign}news`, "1")],
    ["listens on another's channel", (client) => client.subscribe(`${foreign}news`)],
    ["listens on a pattern over others' channels", (client) => client.psubscribe("tenant:*")],
    ["asks which channels there are", (client) => client.pubsub("CHANNELS")],
    ["walks through all keys", (client) => client.scan("0")],
    ["lists all keys", (client) => client.keys("*")],
    ["takes a key by chance", (client) => client.randomkey()],
    ["counts all keys", (client) => client.dbsize()],
    ["follows the names of changed keys", (client) => client.call("CLIENT", "TRACKING", "ON", "BCAST")],
    ["changes to another database", (client) => client.select(1)],
    ["copies into another database", (client) => client.call("COPY", `${own}a`, `${own}b`, "DB", "1")],
    ["lists the users", (client) => client.call("ACL", "LIST")],
    ["lists who is connected", (client) => client.call("CLIENT", "LIST")],
    ["reads the configuration", (client) => client.call("CONFIG", "GET", "*")],
    ["watches all commands", (client) => client.call("MONITOR")],
    ["empties the database", (client) => client.flushdb()],
    ["stores a function for all", (client) => client.call("FUNCTION", "LIST")],
    ["flushes others' scripts", (client) => client.call("SCRIPT", "FLUSH")],
    ["stops the server", (client) => client.call("SHUTDOWN", "NOSAVE")],
    ["sorts with patterns over others' keys", (client) => client.call("SORT", `${own}l`, "GET", "*")],
  ];
  for (const [what, attempt] of refusals)
    it(`is refused when it ${what}`, () =>
      as(ada, (client) =>
        assert.rejects(
          attempt(client),
          (error) => isRefusal(error) || /user executing the script can't access/.test(String(error)),
        ),
      ));

  it("and the neighbour's key is as it was", async () => {
    assert.equal(await as(bob, (client) => client.get(`${foreign}secret`)), "bob's");
  });

  it("does not get in with another tenant's password", () =>
    assert.rejects(
      asRedisUser(
        server,
        { username: redisUserName(ada.slug), password: passwords.get(bob.slug) ?? "" },
        (client) => client.ping(),
      ),
      /WRONGPASS/,
    ));
});
