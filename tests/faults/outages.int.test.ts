import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import type { Saga } from "@deeplens/client";
import { untilEnded, wishFor } from "@deeplens/e2e/orders";
import { freshSlug, openInstallation } from "@deeplens/e2e/support";
import { tenantctl } from "@deeplens/e2e/tenantctl";
import { tracesOf } from "@deeplens/e2e/traces";
import { createClient } from "@deeplens/postgres";
import { type ContainerState, containersOf, fleet, type Process, until } from "./fleet.ts";

// A service of the installation goes away while a tenant is ordered. The fleet stays, says what is missing, shows what
// waits, and goes on by itself; or, where it stays away for too long, ends as it must. Attempts last some ten seconds here
// (scripts/test.ts): an outage of a few is survived, one that outlasts them need not last for minutes.

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
  /** What `tenantctl status` says of it: the step, which try comes next, and why. */
  readonly shown: RegExp;
  /** Workers that end when their lock session is lost (rule 13) are started again by the engine. */
  readonly mayRestart?: true;
}

const outages: readonly Outage[] = [
  {
    service: "postgres",
    order: "over Kafka",
    storage: "none",
    said: [["saga-orchestrator", "database"]],
    shown: /database does not answer|database-unreachable/,
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
    // Postgres has the request, and nobody can be told of it.
    shown: /database +working .*its worker has not begun/,
  },
  {
    service: "redis",
    order: "over Kafka",
    storage: "none",
    said: [["db-worker", "redis"]],
    shown: /database +\w+ +try \d of 5 .*redis/i,
  },
  {
    service: "minio",
    order: "over Kafka",
    storage: "deeplens",
    said: [["storage-worker", "minio"]],
    shown: /storage +\w+ +try \d of 5 .*minio/i,
  },
  {
    service: "identity-api",
    order: "over Kafka",
    storage: "none",
    said: [["identity-worker", "identity-api"]],
    shown: /identity +\w+ +try \d of 5 .*identity/i,
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
      const { service, shown } = outage;
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
      await untilStatus(slug, shown);
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

/** Waits until `tenantctl status` says it. */
const untilStatus = (slug: string, shown: RegExp): Promise<true> =>
  until(`the status of ${slug} says ${shown}`, 20_000, async () => {
    const { stdout, stderr } = await tenantctl(installation, "status", slug);
    return shown.test(stdout + stderr) ? true : { not: stdout + stderr };
  });

test("a service that stays away for longer than five attempts: rolled back, with the true reason, and nothing is left", async (t) => {
  t.after(() => containers.start("minio"));
  await containers.untilReady();
  await containers.stop("minio");
  const tenant = await tenants.requestTenant(wishFor(freshSlug("too-long")));
  await until("the saga turns around", 60_000, async () => {
    const saga = await sagaOf(tenant.tenantId);
    return saga?.status === "compensating" ? true : { not: JSON.stringify(saga?.steps) };
  });
  await untilStatus(tenant.slug, /is compensating[\s\S]*Why: step storage: .*minio/i);
  await containers.start("minio");
  const saga = await untilEnded(installation, tenant.tenantId, 60_000);
  assert.equal(saga.status, "rolled-back", JSON.stringify(saga.steps));
  assert.equal(saga.error?.step, "storage");
  assert.match(saga.error?.message ?? "", /minio/i);
  assert.deepEqual(await tracesOf(installation, tenant), []);
});

// The stand-in's own lock holds the request after it has arrived: whether it was carried out, nobody can tell.
test("rule 20: Identity goes away in the middle of its request: stuck with the reason, nothing undone; resumed it is ready", async (t) => {
  const { host, port, adminUser: user, password } = installation.services.tenantDb;
  const identity = createClient({ host, port, user, password, database: "deeplens_identity" }, "outages");
  await identity.connect();
  t.after(async () => {
    await identity.end();
    await containers.start("identity-api");
  });
  await containers.untilReady();
  await identity.query("SELECT pg_advisory_lock(5198)");
  const tenant = await tenants.requestTenant(wishFor(freshSlug("pivot"), { storage: { type: "none" } }));
  await until("Identity has the request", 60_000, async () => {
    const { rowCount } = await identity.query(
      "SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 5198 AND NOT granted",
    );
    return rowCount === 0 ? undefined : true;
  });
  await containers.stop("identity-api");
  await identity.query("SELECT pg_advisory_unlock(5198)");
  const stuck = await untilEnded(installation, tenant.tenantId, 90_000);
  assert.equal(stuck.status, "stuck", JSON.stringify(stuck.error));
  await untilStatus(tenant.slug, /is stuck[\s\S]*Why: step identity: .*identity[\s\S]*tenantctl resume/i);
  for (const { step, phase } of stuck.steps)
    if (step !== "identity") assert.ok(["done", "skipped"].includes(phase), `${step} is ${phase}`);
  const aborted = await tenantctl(installation, "abort", tenant.slug, "--reason", "it takes too long");
  assert.notEqual(aborted.exitCode, 0, aborted.stdout);

  await containers.start("identity-api");
  await containers.untilReady(["identity-worker"]);
  const resumed = await tenantctl(installation, "resume", tenant.slug, "--reason", "Identity is back");
  assert.equal(resumed.exitCode, 0, resumed.stderr);
  await until("the tenant is ready", 60_000, async () => {
    const saga = await sagaOf(tenant.tenantId);
    return saga?.status === "ready" ? true : { not: JSON.stringify(saga?.steps) };
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
