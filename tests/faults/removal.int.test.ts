import assert from "node:assert/strict";
import { after, test } from "node:test";
import { untilEnded, wishFor } from "@deeplens/e2e/orders";
import { freshSlug, openInstallation } from "@deeplens/e2e/support";
import { tracesOf } from "@deeplens/e2e/traces";
import { containersOf, until } from "./fleet.ts";

const installation = await openInstallation();
after(() => installation.close());
const containers = containersOf(installation);
const { api, tenants } = installation;
const reason = "a fault while it is removed";

// The settle time and the second look that come after it are minutes long: tests/e2e waits for them.
test("Kafka is away while a tenant is removed: the removal waits, says so, and takes everything away when it is back", async (t) => {
  t.after(() => containers.heal());
  const wish = wishFor(freshSlug("gone"));
  const { tenantId, slug } = await tenants.requestTenant(wish);
  assert.equal((await untilEnded(installation, tenantId, 180_000)).status, "ready");
  t.after(() => containers.start("kafka"));
  await containers.stop("kafka");
  const { sagaId } = await api.actOnTenant(slug, "remove", { tenantId, reason, graceMs: 0 });
  assert.ok(sagaId);
  // Postgres has the removal, and nobody can be told of it.
  const waiting = await api.saga(sagaId);
  assert.deepEqual(
    waiting.steps.filter(({ state }) => state === "running").map(({ startedAt }) => startedAt),
    [null, null, null],
  );
  await containers.start("kafka");
  await until("every part is purged", 180_000, async () => {
    const saga = await api.saga(sagaId);
    assert.notEqual(saga.status, "stuck", JSON.stringify(saga.error));
    return saga.course === "settling" || { not: JSON.stringify(saga.steps.map(({ state }) => state)) };
  });
  const traces = await tracesOf(installation, { tenantId, slug });
  assert.deepEqual(
    traces.filter((trace) => !/identity|ledger|secret/i.test(trace)),
    [],
  );
});
