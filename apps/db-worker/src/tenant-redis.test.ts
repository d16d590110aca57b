import assert from "node:assert/strict";
import { test } from "node:test";
import { redisBackupUserName, redisKeyPrefix, redisUserName } from "@deeplens/contracts";
import type { RedisServer } from "./redis-server.ts";
import { tenantRedis } from "./tenant-redis.ts";
import { stageOf } from "./testing/stage.ts";
import { freshTenant } from "./testing/tenants.ts";

// Seen to fail with the row left as made: what lands after an undo is then looked for by nobody.
test("rule 14: a user that is set again is an intent meanwhile, for that call may land after an undo", async () => {
  const tenant = freshTenant("again");
  const user = { kind: "redis-user", name: redisUserName(tenant.slug) };
  const states: (string | undefined)[] = [];
  const stateOfUser = () => stage.ledger.rows().find(({ name }) => name === user.name)?.state;
  const admin = {
    scan: async () => ["0", []],
    call: async (command: string, act: string, name: string) => {
      if (command === "CONFIG") throw new Error("as far as this test goes");
      if (act === "SETUSER" && name === user.name) states.push(stateOfUser());
      return act === "CAT" ? [] : "there";
    },
  };
  const server = { host: "", port: 0, admin } as unknown as RedisServer;
  const stage = stageOf(tenantRedis(server), tenant);
  const backup = { kind: "redis-user", name: redisBackupUserName(tenant.slug) };
  await stage.intend([user, backup, { kind: "redis-keys", name: `${redisKeyPrefix(tenant.slug)}*` }]);
  await assert.rejects(stage.provision(), /as far as this test goes/);
  assert.deepEqual(states, ["intent"]);
  assert.equal(stateOfUser(), "made");
});
