import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { tenantIdOf } from "@deeplens/contracts";
import { migrate, type Pool } from "@deeplens/postgres";
import { testDatabase } from "@deeplens/testing";
import { FencedError, migrateWorker } from "@deeplens/worker";
import { type LeaseHolder, NoFreePortError, type PortRange, postgresPortLeases } from "./port-leases.ts";
import { arrive as raise } from "./testing/rig.ts";

let pool: Pool;
const cleanUps: (() => Promise<void>)[] = [];
before(async () => {
  ({ pool } = await testDatabase((work) => cleanUps.push(work)));
  await migrateWorker(pool);
  await migrate(pool, "vectors", new URL("../migrations/", import.meta.url));
});
after(async () => {
  for (const work of cleanUps) await work();
});

const range: PortRange = { httpBase: 6433, grpcBase: 6434, pairs: 12 };
const pairNumber = (n: number): { httpPort: number; grpcPort: number } => ({
  httpPort: 6433 + 2 * n,
  grpcPort: 6434 + 2 * n,
});

// Each test has an installation of its own, as two on one machine would.
const leasesOf = (pairs = range.pairs, installation = randomBytes(4).toString("hex")) =>
  postgresPortLeases(pool, installation, { ...range, pairs });

/** The newest command of a new tenant. */
const arrive = async (slug = `s${randomBytes(5).toString("hex")}`, fence = 1): Promise<LeaseHolder> => {
  const holder = { slug, step: "vectors", tenantId: tenantIdOf("tests", slug), fence };
  await raise(pool, holder);
  return holder;
};

test("the lowest free pair is leased, and asking again gives the same", async () => {
  const leases = leasesOf();
  const [first, second] = [await arrive(), await arrive()];
  assert.deepEqual(await leases.ensure(first), pairNumber(0));
  assert.deepEqual(await leases.ensure(second), pairNumber(1));
  assert.deepEqual(await leases.ensure(first), pairNumber(0));
  assert.deepEqual(await leases.find(second), pairNumber(1));
});

test("ten tenants at once get the ten lowest pairs, each its own", async () => {
  const leases = leasesOf();
  const holders = await Promise.all(Array.from({ length: 10 }, () => arrive()));
  const pairs = await Promise.all(holders.map((holder) => leases.ensure(holder)));
  const ports = pairs.map(({ httpPort }) => httpPort).sort((a, b) => a - b);
  assert.deepEqual(
    ports,
    Array.from({ length: 10 }, (_, n) => pairNumber(n).httpPort),
  );
});

test("one command that comes twice at once gets one pair", async () => {
  const leases = leasesOf();
  const holder = await arrive();
  const pairs = await Promise.all([1, 2, 3, 4].map(() => leases.ensure(holder)));
  assert.deepEqual(pairs, Array(4).fill(pairNumber(0)));
  assert.deepEqual(await leases.ensure(await arrive()), pairNumber(1));
});

test("a pair is held until it is freed, and then the next tenant's", async () => {
  const leases = leasesOf();
  const [gone, stays, next] = [await arrive(), await arrive(), await arrive()];
  await leases.ensure(gone);
  await leases.ensure(stays);
  assert.deepEqual(await leases.free(gone), pairNumber(0));
  assert.equal(await leases.free(gone), undefined);
  assert.deepEqual(await leases.ensure(next), pairNumber(0));
});

test("with no pair left the tenant is told so by code, and gets one as soon as one is freed", async () => {
  const leases = leasesOf(2);
  const [a, b, c] = [await arrive(), await arrive(), await arrive()];
  await leases.ensure(a);
  await leases.ensure(b);
  await assert.rejects(leases.ensure(c), (error) => {
    assert.ok(error instanceof NoFreePortError);
    assert.equal(error.code, "no-free-port");
    assert.match(
      error.message,
      new RegExp(`tenant ${c.slug}: all 2 pairs from 6433/6434 .*QDRANT_PORT_PAIRS`),
    );
    return true;
  });
  await leases.free(a);
  assert.deepEqual(await leases.ensure(c), pairNumber(0));
});

test("a pair that somebody else has bound is given up, and nobody is given it for an hour", async () => {
  const installation = randomBytes(4).toString("hex");
  const leases = leasesOf(range.pairs, installation);
  const [first, second] = [await arrive(), await arrive()];
  await leases.giveUp(first, await leases.ensure(first));
  assert.equal(await leases.find(first), undefined);
  assert.deepEqual(await leases.ensure(first), pairNumber(1));
  assert.deepEqual(await leases.ensure(second), pairNumber(2));
  const { rows } = await pool.query<{ left: number }>(
    "SELECT extract(epoch FROM until - now())::int AS left FROM vectors.foreign_ports WHERE installation = $1",
    [installation],
  );
  assert.ok(rows[0] !== undefined && rows[0].left > 3_590 && rows[0].left <= 3_600);
  await pool.query("UPDATE vectors.foreign_ports SET until = now() WHERE installation = $1", [installation]);
  assert.deepEqual(await leases.ensure(await arrive()), pairNumber(0));
});

test("a pair given up by name is not another pair that the tenant got since", async () => {
  const leases = leasesOf();
  const holder = await arrive();
  await leases.ensure(holder);
  await leases.giveUp(holder, pairNumber(5));
  assert.deepEqual(await leases.find(holder), pairNumber(0));
});

test("two installations on one machine lease from ranges of their own", async () => {
  const [here, there] = [leasesOf(), leasesOf()];
  assert.deepEqual(await here.ensure(await arrive()), pairNumber(0));
  assert.deepEqual(await there.ensure(await arrive()), pairNumber(0));
});

// Seen to fail with `held` replaced by `SELECT 1`.
test("rule 11: a command that was overtaken writes no lease: neither takes, gives up nor frees one", async () => {
  const leases = leasesOf();
  const old = await arrive();
  await arrive(old.slug, 2);
  await assert.rejects(leases.ensure(old), FencedError);
  assert.equal(await leases.find(old), undefined);
  const newest = { ...old, fence: 2 };
  const pair = await leases.ensure(newest);
  await assert.rejects(leases.free(old), FencedError);
  await assert.rejects(leases.giveUp(old, pair), FencedError);
  assert.deepEqual(await leases.find(newest), pair);
  assert.deepEqual(await leases.ensure(await arrive()), pairNumber(1));
});

// Seen to fail without FOR SHARE: the lease is then written beside the newer fence.
test("rule 11: a fence that is being raised is waited for, and then refuses the lease", async () => {
  const leases = leasesOf();
  const old = await arrive();
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await client.query("UPDATE worker.parts SET fence = 2 WHERE slug = $1 AND step = $2", [
      old.slug,
      old.step,
    ]);
    const late = leases.ensure(old);
    const refused = assert.rejects(late, FencedError);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await client.query("COMMIT");
    await refused;
  } finally {
    client.release();
  }
  assert.equal(await leases.find(old), undefined);
});
