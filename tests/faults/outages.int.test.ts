import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { Saga } from "@deeplens/client";
import { untilEnded, wishFor } from "@deeplens/e2e/orders";
import { freshSlug, openInstallation } from "@deeplens/e2e/support";
import { type ContainerState, containersOf, fleet, type Process, until } from "./fleet.ts";

// A service of the installation goes away while a tenant is ordered. The fleet stays, says what is missing, shows what
// waits, and goes on by itself. An outage lasts a few seconds here: well below what five attempts last.

const installation = await openInstallation();
after(() => installation.close());
const containers = containersOf(installation);
const { api, tenants } = installation;

interface Outage {
  readonly service: string;
  readonly order: "over Kafka" | "by the API";
  readonly storage: "none" | "deeplens";
  /** Who says that it is missing, under which check. */
  readonly said: readonly (readonly [Process, check: string])[];
  /** The step that shows the waiting; none where nothing can show anything. */
  readonly waits?: string;
  /** Workers that end when their lock session is lost (rule 13) are started again by the engine. */
  readonly mayRestart?: true;
}

const outages: readonly Outage[] = [
  {
    service: "postgres",
    order: "over Kafka",
    storage: "none",
    said: [["saga-orchestrator", "database"]],
    mayRestart: true,
  },
  {
    service: "kafka",
    order: "by the API",
    storage: "none",
    said: [
      ["db-worker", "kafka"],
      ["saga-orchestrator", "kafka"],
    ],
  },
  {
    service: "redis",
    order: "over Kafka",
    storage: "none",
    said: [["db-worker", "redis"]],
    waits: "database",
  },
  {
    service: "minio",
    order: "over Kafka",
    storage: "deeplens",
    said: [["storage-worker", "minio"]],
    waits: "storage",
  },
  {
    service: "identity-api",
    order: "over Kafka",
    storage: "none",
    said: [["identity-worker", "identity-api"]],
    waits: "identity",
  },
];

const states = async (): Promise<Map<Process, ContainerState>> =>
  new Map(await Promise.all(fleet.map(async (one) => [one, await containers.state(one)] as const)));

const orderIn = async ({ order, storage }: Outage, slug: string): Promise<string> => {
  const wish = wishFor(slug, { storage: { type: storage } });
  if (order === "over Kafka") return (await tenants.requestTenant(wish)).tenantId;
  const { requestId, ...request } = wish;
  return (await api.requestTenant(request, requestId)).tenantId;
};

const sagaOf = async (tenantId: string): Promise<Saga | undefined> => {
  const { sagaId } = await api.tenant(tenantId).catch(() => ({ sagaId: null }));
  return sagaId === null ? undefined : api.saga(sagaId);
};

describe("a service goes away while a tenant is ordered, and comes back", () => {
  for (const outage of outages)
    test(`${outage.service}: it is named, the tenant waits, then it becomes ready`, async (t) => {
      const { service, waits } = outage;
      await containers.untilReady();
      const before = await states();
      const slug = freshSlug(`no-${service}`);
      t.after(async () => {
        await containers.start(service);
        await containers.heal();
      });
      await containers.stop(service);
      for (const [process, check] of outage.said)
        await until(`${process} says that ${service} is missing`, 30_000, async () => {
          const health = await containers.health(process);
          const reason = health.checks[check] ?? "ok";
          return health.status === 503 && reason !== "ok" ? true : { not: JSON.stringify(health) };
        });
      // Only now: five attempts are over after some ten seconds.
      const tenantId = await orderIn(outage, slug);
      if (waits !== undefined)
        await until(`${waits} of ${slug} shows why it waits`, 20_000, async () => {
          const saga = await sagaOf(tenantId);
          const step = saga?.steps.find(({ step }) => step === waits);
          return step?.error || step?.progress ? true : { not: JSON.stringify(saga) };
        });
      await containers.start(service);
      const saga = await untilEnded(installation, tenantId, 60_000);
      assert.equal(saga.status, "ready", JSON.stringify(saga.error));
      await containers.untilReady();
      for (const [process, { restarts, startedAt }] of await states()) {
        const old = before.get(process);
        if (outage.mayRestart && process !== "saga-orchestrator") continue;
        assert.deepEqual({ process, restarts, startedAt }, { process, ...pick(old) });
      }
    });
});

const pick = (state: ContainerState | undefined) => ({
  restarts: state?.restarts,
  startedAt: state?.startedAt,
});

test("schema-registry: what knows its schemas needs it not; what starts waits for it, says so, and goes on by itself", async (t) => {
  const starting = ["saga-orchestrator", "db-worker"] as const;
  t.after(async () => {
    await containers.start("schema-registry");
    await containers.heal();
  });
  await containers.untilReady();
  await containers.stop("schema-registry");
  const known = await tenants.requestTenant(wishFor(freshSlug("known"), { storage: { type: "none" } }));
  const first = await untilEnded(installation, known.tenantId, 60_000);
  assert.equal(first.status, "ready", JSON.stringify(first.error));

  for (const service of starting) {
    await containers.stop(service);
    await containers.start(service);
  }
  const waiting = await tenants.requestTenant(wishFor(freshSlug("registry"), { storage: { type: "none" } }));
  for (const service of starting)
    await until(`${service} says that it waits for the registry`, 30_000, async () => {
      const { status, checks } = await containers.health(service);
      return status === 503 && /schema registry/.test(checks.start ?? "")
        ? true
        : { not: JSON.stringify(checks) };
    });
  await containers.start("schema-registry");
  const saga = await untilEnded(installation, waiting.tenantId, 60_000);
  assert.equal(saga.status, "ready", JSON.stringify(saga.error));
  for (const service of starting) assert.equal((await containers.state(service)).restarts, 0, service);
});
