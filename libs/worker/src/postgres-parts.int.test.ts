import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import type { Slug, TenantId } from "@deeplens/contracts";
import { type TestDatabase, testDatabase } from "@deeplens/testing";
import { LockSessionLost, openLockSession } from "./lock-session.ts";
import { migrateWorker } from "./migrate.ts";
import { partsSuite } from "./parts.suite.ts";
import { createLedgerStore } from "./postgres-ledger.ts";
import { postgresParts } from "./postgres-parts.ts";

let database: TestDatabase;
const cleanUps: (() => Promise<void>)[] = [];
before(async () => {
  database = await testDatabase((work) => void cleanUps.push(work));
  await migrateWorker(database.pool);
});
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

const open = async () => {
  const session = await openLockSession(database.address, "tests");
  return { session, store: postgresParts(session, "storage", 0), die: session.close };
};
partsSuite("postgres", { process: open });

const until = new Date(Date.now() - 1_000);
const partOf = (slug: string, fence: number) => ({
  ...{ slug: slug as Slug, tenantId: randomUUID() as TenantId, fence },
  ...{ undoes: false, held: false, until },
});
const stateOf = async (name: string): Promise<string | undefined> =>
  (await database.pool.query("SELECT state FROM worker.ledger WHERE name = $1", [name])).rows[0]?.state;

test("rule 13: whoever loses its lock session knows it", async (t) => {
  const [one, two] = [await open(), await open()];
  t.after(() => Promise.all([one.die(), two.die()]));
  const part = partOf(randomUUID(), 1);
  await one.store.arrive([part]);
  await two.store.endHolder(part.slug);
  await assert.rejects(one.session.lost, LockSessionLost);
});

// Seen to fail with the condition on suspects taken out of `gone`.
test("rule 14: an intent of a process that may still run stays open for the sweep, until its end was seen", async (t) => {
  const [stopped, undoer] = [await open(), await open()];
  t.after(() => Promise.all([stopped.die(), undoer.die()]));
  const part = partOf(randomUUID(), 1);
  const key = { kind: "bucket", name: part.slug };
  await stopped.store.arrive([part]);
  const ledgerOf = (process: typeof stopped, fence: number) =>
    createLedgerStore(database.pool, process.session.processId).of({ ...part, step: "storage", fence });
  await ledgerOf(stopped, 1).intend(key);

  // Its lock session is ended; the process itself lives, and may have a request under way.
  await undoer.store.arrive([{ ...part, fence: 2, undoes: true }]);
  await undoer.store.endHolder(part.slug);
  while (
    (await undoer.store.arrive([{ ...part, fence: 2, undoes: true }])).get(part.slug)?.outcome !== "locked"
  );
  await ledgerOf(undoer, 2).gone(key);
  assert.equal(await stateOf(key.name), "intent");
  const { rows } = await database.pool.query("SELECT * FROM worker.open_intents WHERE slug = $1", [
    part.slug,
  ]);
  assert.deepEqual(
    rows.map(({ slug, step, owner, kind, name }) => ({ slug, step, owner, kind, name })),
    [{ slug: part.slug, step: "storage", owner: part.tenantId, ...key }],
  );

  await stopped.die();
  await ledgerOf(undoer, 2).gone(key);
  assert.equal(await stateOf(key.name), "gone");
});

test("rule 14: an intent of a handler that said it had settled is closed, though its process lives", async (t) => {
  const [one, two] = [await open(), await open()];
  t.after(() => Promise.all([one.die(), two.die()]));
  const part = partOf(randomUUID(), 1);
  const key = { kind: "bucket", name: part.slug };
  await one.store.arrive([part]);
  await createLedgerStore(database.pool, one.session.processId)
    .of({ ...part, step: "storage" })
    .intend(key);
  await one.store.finish([{ ...part, reply: undefined, release: true }]);
  await two.store.arrive([{ ...part, fence: 2, undoes: true }]);
  const ledger = createLedgerStore(database.pool, two.session.processId).of({
    ...part,
    step: "storage",
    fence: 2,
  });
  await ledger.gone(key);
  assert.equal(await stateOf(key.name), "gone");
});

test("rule 14: an intent of a process that died is closed", async (t) => {
  const [one, two] = [await open(), await open()];
  t.after(() => Promise.all([one.die(), two.die()]));
  const part = partOf(randomUUID(), 1);
  const key = { kind: "bucket", name: part.slug };
  await one.store.arrive([part]);
  await createLedgerStore(database.pool, one.session.processId)
    .of({ ...part, step: "storage" })
    .intend(key);
  await one.die();
  await two.store.arrive([{ ...part, fence: 2, undoes: true }]);
  const ledger = createLedgerStore(database.pool, two.session.processId).of({
    ...part,
    step: "storage",
    fence: 2,
  });
  await ledger.gone(key);
  assert.equal(await stateOf(key.name), "gone");
});
