import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Saga, TenantActName } from "@deeplens/client";
import { createClient } from "@deeplens/postgres";
import { Client as Minio } from "minio";
import { type Ended, order, wishFor } from "./orders.ts";
import { freshSlug, openInstallation } from "./support.ts";
import { tenantctl } from "./tenantctl.ts";
import { tracesOf } from "./traces.ts";

// A tenant's life after it was made, on the whole stack: closed, opened, removed, restored, and removed for good.

const installation = await openInstallation();
after(() => installation.close());
const { api, services } = installation;
const reason = "the end-to-end test of a tenant's life";
let acme: Ended;

const act = async (name: TenantActName, graceMs?: number): Promise<Saga> => {
  const { tenantId, slug } = acme;
  const { sagaId } = await api.actOnTenant(slug, name, {
    tenantId,
    reason,
    ...(graceMs === undefined ? {} : { graceMs }),
  });
  assert.ok(sagaId);
  return untilIs(sagaId, ["done", "undone", "waiting", "removed", "stuck"]);
};

/** The settle time of a removal is minutes long, and two tests wait for it. */
const patienceMs = 420_000;

const untilIs = async (sagaId: string, statuses: readonly string[]): Promise<Saga> => {
  for (const endMs = Date.now() + patienceMs; ; await delay(250)) {
    const saga = await api.saga(sagaId);
    if (statuses.includes(saga.status)) return saga;
    assert.ok(
      Date.now() < endMs,
      `${saga.kind} is ${saga.status}: ${JSON.stringify(saga.steps.map(({ step, state }) => [step, state]))}`,
    );
  }
};

const rowsIn = async (): Promise<number> => {
  const { resources, secrets } = await api.revealCredentials(acme.slug, reason);
  return rowsWith(resources, secrets["database.app"] ?? "");
};

const rowsWith = async (resources: Readonly<Record<string, string>>, password: string): Promise<number> => {
  const { host, port } = services.tenantDb;
  const database = resources["database.database"] ?? "";
  const user = resources["database.applicationRole"] ?? "";
  const client = createClient({ host, port, database, user, password }, "e2e");
  await client.connect();
  try {
    const { rows } = await client.query<{ count: number }>("SELECT count(*)::int AS count FROM collections");
    return rows[0]?.count ?? 0;
  } finally {
    await client.end();
  }
};

before(async () => {
  acme = await order(installation, wishFor(freshSlug("life")));
  assert.equal(acme.saga.status, "ready", JSON.stringify(acme.saga.error));
});

test("suspended, its own credentials open nothing; resumed, they do again", async () => {
  const { resources, secrets } = await api.revealCredentials(acme.slug, reason);
  const before = await rowsIn();
  const suspended = await act("suspend");
  assert.equal(suspended.status, "done", JSON.stringify(suspended.error));
  assert.equal((await api.tenant(acme.slug)).state, "suspended");
  const { "database.app": password = "" } = secrets;
  await assert.rejects(rowsWith(resources, password), { code: "28000" }); // its role may not log in
  const { hostname, port } = new URL(services.minio.endpoint);
  const minio = new Minio({
    endPoint: hostname,
    port: Number(port),
    useSSL: false,
    accessKey: resources["storage.accessKey"] ?? "",
    secretKey: secrets["storage.service-account"] ?? "",
  });
  await assert.rejects(
    minio.listBuckets(),
    ({ code }: { code?: string }) => code === "InvalidAccessKeyId" || code === "AccessDenied",
  );
  const told = suspended.steps.find(({ step }) => step === "tell-identity")?.receipt;
  assert.equal(told?.[0]?.outcome, "told-by-event");
  assert.equal((await act("resume")).status, "done");
  assert.equal(await rowsIn(), before);
});

test("rotated, old and new credentials open it together; the old ones end when tenantctl is told", async () => {
  const { slug } = acme;
  const rotate = (...flags: string[]) =>
    tenantctl(installation, "rotate", slug, ...flags, "--yes", "--reason", reason, "--json");
  const old = await api.revealCredentials(slug, reason);
  const began = await rotate("--overlap", "1h");
  assert.equal(began.exitCode, 0, began.stderr);
  const fresh = await api.revealCredentials(slug, reason);
  const enters = ({ resources, secrets }: typeof old) => rowsWith(resources, secrets["database.app"] ?? "");
  const rows = await enters(fresh);
  assert.equal(await enters(old), rows);
  assert.notEqual(fresh.secrets["database.app"], old.secrets["database.app"]);
  assert.notEqual(fresh.resources["storage.accessKey"], old.resources["storage.accessKey"]);
  assert.deepEqual((await api.tenant(slug)).rotation?.parts, ["database", "storage", "vectors"]);
  const refused = await tenantctl(installation, "suspend", slug, "--yes", "--reason", reason, "--json");
  assert.equal(refused.exitCode, 2, refused.stdout);
  assert.match(refused.stdout, /act-running.*rotate of tenant/s);
  const ended = await rotate("--end");
  assert.equal(ended.exitCode, 0, ended.stderr);
  await assert.rejects(enters(old), { code: "28P01" }); // nobody has its password any more
  assert.equal(await enters(fresh), rows);
  const { rotation, running } = await api.tenant(slug);
  assert.deepEqual([rotation, running], [null, null]);
});

test("a removal is restored inside its grace period: the same tenant, its data, new credentials", async () => {
  const { resources, secrets } = await api.revealCredentials(acme.slug, reason);
  const before = await rowsIn();
  const removal = await act("remove");
  assert.equal(removal.status, "waiting", JSON.stringify(removal.error));
  const backup = removal.steps.find(({ step }) => step === "final-backup");
  assert.deepEqual(
    backup?.receipt.map(({ outcome }) => outcome),
    ["verified"],
  );
  const restored = await act("restore");
  assert.equal(restored.status, "undone", JSON.stringify(restored.error));
  const tenant = await api.tenant(acme.slug);
  assert.deepEqual([tenant.tenantId, tenant.state], [acme.tenantId, "ready"]);
  for (const name of ["database.database", "storage.bucket", "vectors.httpPort", "database.topic"])
    assert.equal(tenant.resources[name], resources[name]);
  const now = await api.revealCredentials(acme.slug, reason);
  assert.notEqual(now.secrets["database.app"], secrets["database.app"]);
  assert.equal(await rowsIn(), before);
});

test("removed at once, nothing is left but Identity's record; the next tenant of the name replaces that one alone", async () => {
  const removed = await act("remove", 0);
  assert.equal(removed.status, "removed", JSON.stringify(removed.error));
  const kept = removed.steps.filter(({ receipt }) => receipt.some(({ outcome }) => outcome === "kept"));
  assert.deepEqual(
    kept.map(({ step }) => step),
    ["purge-identity"],
  );
  const traces = await tracesOf(installation, acme);
  assert.deepEqual(
    traces.filter((trace) => !/identity/i.test(trace)),
    [],
  );
  const { tenantId, slug } = acme;
  await api.actOnTenant(slug, "release", { tenantId, reason });
  await untilIs(removed.sagaId, ["closed"]);
  const next = await order(installation, wishFor(slug, { requestId: `the next ${slug}` }));
  assert.equal(next.saga.status, "ready", JSON.stringify(next.saga.error));
  assert.notEqual(next.tenantId, tenantId);
});
