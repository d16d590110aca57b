import assert from "node:assert/strict";
import { after, test } from "node:test";
import { headerNames, lifecycleTopic } from "@deeplens/contracts";
import { untilEnded, wishFor } from "@deeplens/e2e/orders";
import { freshSlug, openInstallation } from "@deeplens/e2e/support";
import { headerText } from "@deeplens/messaging";
import { containersOf, fleet, type Process, until } from "./fleet.ts";
import { listen } from "./topics.ts";

// Each process of the fleet, in its own container, is what an operator expects of it: it tells how it is, and it can
// be stopped at any moment.

const installation = await openInstallation();
after(() => installation.close());
const containers = containersOf(installation);
const { api, tenants } = installation;

test("each process says that it lives and that it is ready", async () => {
  await containers.untilReady();
  for (const service of fleet) {
    assert.equal((await containers.health(service, "live")).status, 200, service);
    const { status, checks } = await containers.health(service, "ready");
    assert.equal(status, 200, service);
    assert.ok(Object.keys(checks).length >= 2, `${service} names what it checked: ${JSON.stringify(checks)}`);
  }
});

const stepOf: Readonly<Record<Process, string>> = {
  "saga-orchestrator": "backup",
  "db-worker": "database",
  "storage-worker": "storage",
  "vector-worker": "vectors",
  "backup-worker": "backup",
  "identity-worker": "identity",
};

test("each process stops within 10 s in the middle of its work, and every tenant becomes ready, once", async (t) => {
  t.after(() => containers.heal());
  const lifecycle = await listen(installation, [lifecycleTopic]);
  t.after(() => lifecycle.close());
  const ordered: { tenantId: string; slug: string }[] = [];
  for (const service of fleet) {
    const tenant = await tenants.requestTenant(
      wishFor(freshSlug("stopped"), {
        storage: { type: service === "storage-worker" ? "deeplens" : "none" },
      }),
    );
    ordered.push(tenant);
    await until(`${stepOf[service]} of ${tenant.slug} is commanded`, 30_000, async () => {
      const { sagaId } = await api.tenant(tenant.tenantId).catch(() => ({ sagaId: null }));
      const saga = sagaId === null ? undefined : await api.saga(sagaId);
      return saga?.steps.find(({ step }) => step === stepOf[service])?.commandedAt ?? undefined;
    });
    const tookMs = await containers.stop(service);
    const { exitCode, running } = await containers.state(service);
    assert.deepEqual({ service, running, exitCode }, { service, running: false, exitCode: 0 });
    assert.ok(tookMs < 10_000, `${service} took ${Math.round(tookMs)} ms to stop`);
    await containers.start(service);
    await containers.untilReady([service]);
  }
  for (const { tenantId, slug } of ordered) {
    const saga = await untilEnded(installation, tenantId, 60_000);
    assert.equal(saga.status, "ready", `${slug}: ${JSON.stringify(saga.error)}`);
    assert.equal((await api.sagas({ slug })).items.length, 1, `${slug} has one saga`);
    const isOf = (record: (typeof lifecycle.records)[number]): boolean =>
      headerText(record.headers, headerNames.tenantId) === tenantId;
    await lifecycle.find(`an event of ${slug}`, isOf);
    const ids = lifecycle.records.filter(isOf).map(({ headers }) => headerText(headers, headerNames.id));
    assert.equal(new Set(ids).size, 1, `${slug} was announced once`);
  }
});
