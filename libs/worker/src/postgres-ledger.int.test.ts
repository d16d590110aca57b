import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { TenantId } from "@deeplens/contracts";
import { type TestDatabase, testDatabase } from "@deeplens/testing";
import { ledgerSuite } from "./ledger.suite.ts";
import type { CommandScope } from "./ledger-store.ts";
import { migrateWorker } from "./migrate.ts";
import { createLedgerStore } from "./postgres-ledger.ts";

let database: TestDatabase;
const cleanUps: (() => Promise<void>)[] = [];
before(async () => {
  database = await testDatabase((work) => void cleanUps.push(work));
  await migrateWorker(database.pool);
});
after(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

const raise = async ({ slug, step, fence, tenantId }: CommandScope): Promise<void> => {
  await database.pool.query(
    `INSERT INTO worker.parts (slug, step, tenant_id, fence) VALUES ($1, $2, $3, $4)
     ON CONFLICT (slug, step) DO UPDATE SET fence = excluded.fence`,
    [slug, step, tenantId, fence],
  );
};

ledgerSuite("postgres", async () => ({ store: createLedgerStore(database.pool, "a process"), raise }));

// Seen to fail with the share lock taken out: the write then commits after the newer command has looked.
test("rule 11: a newer command waits for a write that is being committed, and sees it", async () => {
  const scope: CommandScope = {
    ...{ tenantId: randomUUID() as TenantId, slug: `s-${randomUUID()}` },
    ...{ step: "storage", fence: 1 },
  };
  await raise(scope);
  const key = { kind: "bucket", name: randomUUID() };
  // Another transaction has the key's row to be, so the intent waits inside its statement.
  const blocker = await database.pool.connect();
  await blocker.query("BEGIN");
  await blocker.query(
    `INSERT INTO worker.ledger (kind, name, owner, slug, step, state, processes) VALUES ($1, $2, $3, $4, 'storage', 'intent', '{x}')`,
    [key.kind, key.name, scope.tenantId, scope.slug],
  );
  const intent = createLedgerStore(database.pool, "a process").of(scope).intend(key);
  await delay(100);
  let raised = false;
  const raising = raise({ ...scope, fence: 2 }).then(() => {
    raised = true;
  });
  await delay(100);
  assert.equal(raised, false);
  await blocker.query("ROLLBACK");
  blocker.release();
  await Promise.all([intent, raising]);
  const newer = createLedgerStore(database.pool, "a process").of({ ...scope, fence: 2 });
  assert.equal((await newer.owned()).length, 1);
});
