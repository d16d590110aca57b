import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Subscription } from "@deeplens/client";
import type { LifecycleEvent } from "@deeplens/contracts";
import { Redis } from "ioredis";
import { type Ended, order, wishFor } from "./orders.ts";
import { freshSlug, openInstallation } from "./support.ts";

// A tenant on the whole stack is looked at with its own credentials, falls ill, and recovers.

const installation = await openInstallation();
const { api, services, tenants } = installation;
const { host, port, adminUser: username, password } = services.redis;
const redis = new Redis({ host, port, username, password });
const events: LifecycleEvent[] = [];
let acme: Ended;
let subscription: Subscription | undefined;

before(async () => {
  acme = await order(installation, wishFor(freshSlug("health")));
  assert.equal(acme.saga.status, "ready", JSON.stringify(acme.saga.error));
  subscription = await tenants.subscribe({
    groupId: `${services.installation}.health-${acme.slug}`,
    onEvent: async (event) => {
      if (event.value.tenantId === acme.tenantId) events.push(event);
    },
  });
});
after(async () => {
  redis.disconnect();
  await subscription?.stop();
  await installation.close();
});

const told = () => events.map(({ record }) => record).filter((record) => record !== "TenantProvisioned");
const untilTold = async (count: number): Promise<void> => {
  for (const until = Date.now() + 15_000; told().length < count; await delay(50))
    assert.ok(Date.now() < until, `told: ${told().join(", ")}`);
};
const switchUser = (word: "on" | "off") => redis.call("ACL", "SETUSER", `tenant-${acme.slug}`, word);

test("every part of a new tenant is well, seen with its own credentials within seconds", async () => {
  const began = Date.now();
  const health = await api.health(acme.slug);
  assert.ok(Date.now() - began < 10_000, `${Date.now() - began} ms`);
  assert.equal(health.status, "well", JSON.stringify(health.parts));
  assert.deepEqual(
    health.parts.map(({ part }) => part),
    ["database", "storage", "vectors", "backup", "identity"],
  );
});

test("a tenant whose Redis user was switched off is degraded: it says why, once, and recovers", async () => {
  await switchUser("off");
  const ill = await api.health(acme.slug);
  assert.equal(ill.status, "degraded");
  const [database] = ill.parts;
  assert.deepEqual([database?.code, database?.facts["postgres.ok"]], ["redis-unreachable", "true"]);
  await untilTold(1);
  await api.health(acme.slug); // the same again
  const tenant = await api.tenant(acme.slug);
  assert.equal(tenant.state, "ready");
  assert.match(tenant.degraded?.reason ?? "", /database: redis: WRONGPASS/);
  await switchUser("on");
  assert.equal((await api.health(acme.slug)).status, "well");
  await untilTold(2);
  assert.deepEqual(told(), ["TenantDegraded", "TenantRecovered"]);
  assert.equal((await api.tenant(acme.slug)).degraded, null);
});
