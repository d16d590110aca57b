import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, it } from "node:test";
import { redisKeyPrefix, redisUserName } from "@deeplens/contracts";
import { lifeOperations, type Tenant } from "@deeplens/worker";
import { Redis } from "ioredis";
import { redisLife } from "./redis-life.ts";
import { asRedisUser, type RedisServer, redisUserExists } from "./redis-server.ts";
import { redisSecret, tenantRedis } from "./tenant-redis.ts";
import { assertNothingInRedis, keysOf, openRedisServer, sweepRedis } from "./testing/redis.ts";
import { permanently, type Stage, stageOf } from "./testing/stage.ts";
import { freshTenant } from "./testing/tenants.ts";

let server: RedisServer;
let tenant: Tenant;
let stage: Stage;
before(() => {
  server = openRedisServer();
});
after(() => server.admin.disconnect());
beforeEach(async () => {
  tenant = freshTenant("life");
  stage = stageOf({ ...tenantRedis(server), operations: lifeOperations(redisLife(server)) }, tenant);
  await stage.provision();
});
afterEach(() => sweepRedis(server, tenant));

const login = async () => ({
  username: redisUserName(tenant.slug),
  password: await stage.secret(redisSecret),
});
const key = () => `${redisKeyPrefix(tenant.slug)}cart`;
const asTenant = async <T>(work: (client: Redis) => Promise<T>): Promise<T> =>
  asRedisUser(server, await login(), work);
const outcomes = ({ receipt }: Awaited<ReturnType<Stage["act"]>>) => receipt.map(({ outcome }) => outcome);

// Seen to fail without the end of the sessions: the open one still reads its key.
it("rule 17: suspended, open sessions are ended and new ones refused; resumed, all keys are there under the same password", async () => {
  await asTenant((client) => client.set(key(), "3 shoes"));
  const session = new Redis({
    ...{ host: server.host, port: server.port, ...(await login()) },
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  session.on("error", () => undefined);
  assert.equal(await session.get(key()), "3 shoes");
  assert.deepEqual(outcomes(await stage.act("suspend")), ["refused"]);
  await assert.rejects(session.get(key()));
  await assert.rejects(
    asTenant((client) => client.get(key())),
    /WRONGPASS/,
  );
  assert.deepEqual(outcomes(await stage.act("suspend")), ["refused"]);
  assert.deepEqual(outcomes(await stage.act("resume", "resume")), ["answers"]);
  assert.equal(await asTenant((client) => client.get(key())), "3 shoes");
});

it("rule 17: purge destroys the user and every key, and finds nothing the second time", async () => {
  await asTenant((client) =>
    client.mset(Object.fromEntries(Array.from({ length: 12_000 }, (_, n) => [`${key()}${n}`, "x"]))),
  );
  await stage.act("suspend");
  assert.deepEqual(outcomes(await stage.act("purge")), ["removed", "removed", "removed"]);
  await assertNothingInRedis(server, tenant);
  assert.deepEqual(outcomes(await stage.act("purge", "removal", { purpose: "second-look" })), [
    "absent",
    "absent",
    "absent",
  ]);
  assert.ok(stage.ledger.rows().every(({ state }) => state === "gone"));
});

// Seen to fail with lifeOperations and removeResource that ask for no mark.
it("rule 17: a purge without the mark, or with another saga's, leaves user and keys", async () => {
  await asTenant((client) => client.set(key(), "3 shoes"));
  await assert.rejects(stage.act("purge"), permanently("not-marked"));
  await stage.act("suspend", "another removal");
  await assert.rejects(stage.act("purge"), permanently("not-marked"));
  assert.deepEqual(await keysOf(server, tenant), [key()]);
});

// Seen to fail without the look: ACL SETUSER makes an empty user.
it("a user that somebody removed is suspended as it is, and not resumed", async () => {
  await server.admin.call("ACL", "DELUSER", redisUserName(tenant.slug));
  assert.deepEqual(outcomes(await stage.act("suspend")), ["absent"]);
  await assert.rejects(stage.act("resume"), permanently("redis-user-missing"));
  assert.equal(await redisUserExists(server.admin, redisUserName(tenant.slug)), false);
});
