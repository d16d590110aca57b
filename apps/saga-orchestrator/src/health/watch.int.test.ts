import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, beforeEach, test } from "node:test";
import { migrate } from "@deeplens/postgres";
import { cleanUps, testDatabase } from "@deeplens/testing";
import { tablesOf } from "../api/tables.ts";
import { ensureShards } from "../store/shard-rows.ts";
import { askNow, followTenants, readHealth, setEvery, syncTenant } from "./probe-rows.ts";
import { tellChanges } from "./watch.ts";

const endings = cleanUps();
after(() => endings.run());
const { pool } = await testDatabase(endings.add);
const schema = "orchestrator";
const migrations = new URL("../../migrations/", import.meta.url);
await migrate(pool, schema, migrations);
// The workers' own tables, as a worker makes them.
await migrate(pool, "worker", new URL("../../../../libs/worker/migrations/", import.meta.url));
const db = { pool, tables: tablesOf(schema) };
const { tenants } = db.tables;
await ensureShards(pool, schema, 6);
const follow = (everyMs: number, atMost = 100): Promise<number> =>
  followTenants(pool, db.tables, everyMs, atMost);

test("before any worker has run there is nothing to look at, and that is no error", async () => {
  const { pool: bare } = await testDatabase(endings.add);
  await migrate(bare, schema, migrations);
  assert.equal(await followTenants(bare, db.tables, 60_000, 100), 0);
  await syncTenant(bare, tenants, 60_000, randomUUID());
  assert.deepEqual(await readHealth(bare, randomUUID()), []);
  await tellChanges({ ...db, pool: bare });
});

beforeEach(() =>
  pool.query(`TRUNCATE ${tenants}, ${db.tables.inbox}, worker.probes, worker.probes_followed`),
);

const tenant = async (slug: string, state = "ready", storage = "deeplens"): Promise<string> => {
  const id = randomUUID();
  await pool.query(
    `INSERT INTO ${tenants} (tenant_id, slug, shard, name, state, revision, tier, storage_type, resources, source,
       request_id, created_at, updated_at)
     VALUES ($1, $2, 3, $2, $3, 1, 'free', $4, '{"storage.bucket": "b"}', 's', 'r', now(), now() - interval '2 minutes')`,
    [id, slug, state, storage],
  );
  return id;
};

/** A change of long ago, but after every other one. */
const change = (tenantId: string, what: string) =>
  pool.query(
    `UPDATE ${tenants} SET ${what}, updated_at = (SELECT max(updated_at) FROM ${tenants}) + interval '1 ms' WHERE tenant_id = $1`,
    [tenantId],
  );
const rows = async () => (await pool.query("SELECT * FROM worker.probes ORDER BY slug, step")).rows;
const inbox = async () => (await pool.query(`SELECT shard, body FROM ${db.tables.inbox} ORDER BY id`)).rows;

test("each part of each ready tenant gets a row; one without a bucket has none for it", async () => {
  await tenant("acme");
  await tenant("beta", "ready", "none");
  await tenant("gone", "rolled-back");
  await follow(60_000);
  await follow(60_000);
  assert.deepEqual(
    (await rows()).map(({ slug, step }) => `${slug}/${step}`),
    [
      ...["backup", "database", "identity", "storage", "vectors"].map((step) => `acme/${step}`),
      ...["backup", "database", "identity", "vectors"].map((step) => `beta/${step}`),
    ],
  );
  assert.deepEqual((await rows())[0].told, {
    ...{ name: "acme", tier: "free", storageType: "deeplens" },
    inputs: { "storage.bucket": "b" },
  });
});

test("a row follows its tenant: told anew when that changes, gone when it is not ready", async () => {
  const acme = await tenant("acme");
  await follow(60_000);
  await pool.query("UPDATE worker.probes SET healthy = true, checked_at = now()");
  await change(acme, "tier = 'professional'");
  await follow(60_000);
  const [row] = await rows();
  assert.deepEqual([row.told.tier, row.healthy], ["professional", true]);
  await change(acme, "state = 'suspended'");
  await follow(60_000);
  assert.deepEqual(await rows(), []);
});

test("only who changed is followed, some of a shard at once, and only what no older change can come before", async () => {
  for (const slug of ["a", "b", "c"]) await tenant(slug);
  assert.deepEqual([await follow(60_000, 2), await follow(60_000, 2), await follow(60_000, 2)], [2, 1, 0]);
  assert.deepEqual([...new Set((await rows()).map(({ slug }) => slug))], ["a", "b", "c"]);
  const fresh = await tenant("fresh");
  await pool.query(`UPDATE ${tenants} SET updated_at = now() WHERE tenant_id = $1`, [fresh]);
  assert.equal(await follow(60_000), 0);
  await syncTenant(pool, tenants, 60_000, fresh);
  assert.equal((await rows()).filter(({ slug }) => slug === "fresh").length, 5);
});

test("after the database's clock was set back, changes are followed again", async () => {
  const acme = await tenant("acme");
  await follow(60_000);
  await pool.query("UPDATE worker.probes_followed SET updated_at = now() + interval '1 day'");
  await change(acme, "state = 'suspended', shard = 3");
  await pool.query(`UPDATE ${tenants} SET updated_at = now() - interval '60.5 s'`);
  assert.equal(await follow(60_000), 1);
  assert.deepEqual(await rows(), []);
});

test("what is ill of a tenant that changed is due at once; how often is set for all", async () => {
  const acme = await tenant("acme");
  await follow(3_600_000);
  await pool.query(
    "UPDATE worker.probes SET due_at = now() + interval '1 hour', healthy = step <> 'storage'",
  );
  await change(acme, "acts = '{}'");
  await follow(3_600_000);
  const due = (await pool.query("SELECT step FROM worker.probes WHERE due_at <= now()")).rows;
  assert.deepEqual(due, [{ step: "storage" }]);
  await setEvery(pool, 60_000);
  const { rows: often } = await pool.query(
    "SELECT DISTINCT extract(epoch FROM every)::int AS s FROM worker.probes",
  );
  assert.deepEqual(often, [{ s: 60 }]);
});

test("one that is asked for is due at once, and others are not", async () => {
  const [acme] = [await tenant("acme"), await tenant("beta")];
  await follow(3_600_000);
  await pool.query("UPDATE worker.probes SET due_at = now() + interval '1 hour'");
  await askNow(pool, acme);
  const due = (await pool.query("SELECT DISTINCT slug FROM worker.probes WHERE due_at <= now()")).rows;
  assert.deepEqual(due, [{ slug: "acme" }]);
});

test("what is news goes into the inbox of the tenant's shard: ill, and well again", async () => {
  const acme = await tenant("acme");
  await follow(60_000);
  await tellChanges(db);
  assert.deepEqual(await inbox(), []);
  await pool.query(
    "UPDATE worker.probes SET healthy = false, code = 'redis-unreachable', reason = 'no answer' WHERE step = 'database'",
  );
  await tellChanges(db);
  const ill = { database: { code: "redis-unreachable", message: "no answer" } };
  const body = { kind: "health", tenantId: acme, slug: "acme", ill };
  assert.deepEqual(await inbox(), [{ shard: 3, body }]);
  // Known by now, with another text: no news.
  const known = { degraded: { since: "x", parts: { database: { ...ill.database, message: "other" } } } };
  await pool.query(`TRUNCATE ${db.tables.inbox}`);
  await pool.query(`UPDATE ${tenants} SET acts = $1`, [known]);
  await tellChanges(db);
  assert.deepEqual(await inbox(), []);
  await pool.query("UPDATE worker.probes SET healthy = true");
  await tellChanges(db, acme);
  assert.deepEqual(await inbox(), [{ shard: 3, body: { ...body, ill: {} } }]);
  // While an act changes the tenant nothing is told: the engine would pass it over, at every round of a grace period.
  await pool.query(`TRUNCATE ${db.tables.inbox}`);
  await pool.query(`UPDATE ${tenants} SET acts = $1`, [{ ...known, running: { kind: "remove" } }]);
  await tellChanges(db);
  assert.deepEqual(await inbox(), []);
});

test("asking rings the workers, so that somebody who waits need not wait for their next look", async () => {
  const acme = await tenant("acme");
  await follow(3_600_000);
  const listener = await pool.connect();
  const rung: (string | undefined)[] = [];
  listener.on("notification", ({ payload }) => rung.push(payload));
  await listener.query("LISTEN probes");
  await askNow(pool, acme);
  await listener.query("SELECT 1");
  listener.release(true);
  assert.deepEqual(rung.sort(), ["backup", "database", "identity", "storage", "vectors"]);
});
