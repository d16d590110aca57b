import assert from "node:assert/strict";
import { test } from "node:test";
import type { Slug, TenantId } from "@deeplens/contracts";
import { provisionKind } from "../testing/provision-kind.ts";
import { newBatch } from "./batch.ts";
import { applyHealth } from "./health.ts";
import type { IllParts, Reservation, Tenant } from "./saga.ts";
import { defaultSettings } from "./settings.ts";

const tenantId = "6f0c1c1e-6d0b-5d5e-9d0b-2f9f3b1d7a55" as TenantId;
const slug = "acme" as Slug;
const redis = { code: "redis-unreachable", message: "Redis does not answer" };
const bucket = { code: "bucket-drift", message: "the bucket is not there" };

/** A tenant that looks come of, one after another; each gives the records that went out. */
const tenantOf = (change: Partial<Tenant> = {}) => {
  let tenant: Tenant = {
    ...{ tenantId, slug, shard: 0, name: "Acme", state: "ready", revision: 1, tier: "free" },
    ...{ storageType: "deeplens", resources: {}, acts: {}, source: "s", requestId: "r" },
    createdAt: "2026-01-01T00:00:00.000Z",
    ...change,
  };
  const reservation: Reservation = { slug, tenantId, sagaId: "s", fence: 1, released: false };
  let minute = 0;
  return {
    get tenant() {
      return tenant;
    },
    seen: (ill: IllParts, of: string = tenantId) => {
      tenant = JSON.parse(JSON.stringify(tenant)) as Tenant; // as the database gives it
      const batch = newBatch(
        {
          now: new Date(Date.UTC(2026, 0, 2, 0, minute++)),
          ...{ installation: "deeplens", shards: 1, settings: defaultSettings, kind: provisionKind },
        },
        { tenants: new Map([[tenantId, tenant]]), reservations: new Map([[slug, reservation]]) },
      );
      const result = applyHealth(batch, { kind: "health", slug, tenantId: of, ill });
      return { result, changed: batch.changedTenants.size, out: batch.outbox.map(({ message }) => message) };
    },
  };
};

test("a part that is ill degrades the tenant: it stays ready, its revision grows, an event and its state say why", () => {
  const acme = tenantOf();
  const { out } = acme.seen({ database: redis });
  assert.deepEqual(
    out.map(({ record }) => record),
    ["TenantState", "TenantDegraded"],
  );
  const [state, event] = out.map(({ value }) => value as unknown as Record<string, unknown>);
  assert.deepEqual([state?.state, state?.degraded], ["ready", "database: Redis does not answer"]);
  assert.deepEqual(event?.parts, [
    { part: "database", code: "redis-unreachable", reason: "Redis does not answer" },
  ]);
  assert.equal(event?.revision, state?.revision);
  assert.ok(acme.tenant.revision > 1);
});

test("events go out on change only: the same codes with another text say nothing, another part does", () => {
  const acme = tenantOf();
  acme.seen({ database: redis });
  const again = acme.seen({ database: { ...redis, message: "Redis does not answer yet" } });
  assert.deepEqual([again.changed, again.out], [0, []]);
  const more = acme.seen({ database: redis, storage: bucket });
  assert.equal(more.out[1]?.record, "TenantDegraded");
  assert.equal(acme.tenant.acts.degraded?.since, "2026-01-02T00:00:00.000Z");
  assert.deepEqual(acme.seen({ storage: bucket, database: redis }).out, []);
});

test("when nothing is ill any more the tenant has recovered, and is as it was", () => {
  const acme = tenantOf({ acts: { leftInIdentity: "x" } });
  acme.seen({ database: redis });
  const { out } = acme.seen({});
  assert.equal(out[1]?.record, "TenantRecovered");
  assert.equal(
    out[1]?.record === "TenantRecovered" && out[1].value.degradedSince,
    "2026-01-02T00:00:00.000Z",
  );
  assert.deepEqual(acme.tenant.acts, { leftInIdentity: "x" });
  assert.deepEqual(acme.seen({}).out, []);
});

test("rule 22: what was seen of another tenant of that name is refused", () => {
  const { result, changed } = tenantOf().seen({ database: redis }, "00000000-0000-0000-0000-000000000000");
  assert.deepEqual([result.ok, changed], [false, 0]);
});

test("a tenant that an act is changing is not called ill for what is half done; the look after it counts", () => {
  const running = { sagaId: "s", kind: "suspend", from: "ready" as const };
  const acme = tenantOf({ acts: { running } });
  assert.deepEqual(acme.seen({ database: redis }).out, []);
  assert.deepEqual(acme.tenant.acts, { running });
});

test("of a tenant that is not ready nothing is said: a look that comes late degrades nothing", () => {
  const acme = tenantOf({ state: "suspended" });
  assert.deepEqual(acme.seen({ database: redis }).out, []);
  const left = tenantOf({
    state: "suspended",
    acts: { degraded: { since: "2026-01-01T00:00:00.000Z", parts: { database: redis } } },
  });
  assert.deepEqual(
    left.seen({ database: redis }).out.map(({ record }) => record),
    ["TenantState"],
  );
  assert.deepEqual(left.tenant.acts, {});
});
