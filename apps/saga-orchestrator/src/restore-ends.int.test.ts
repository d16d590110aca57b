import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { migrate } from "@deeplens/postgres";
import { cleanUps, testDatabase } from "@deeplens/testing";
import { tablesOf } from "./api/tables.ts";
import { endRestores } from "./restore-ends.ts";

const endings = cleanUps();
after(() => endings.run());
const { pool } = await testDatabase(endings.add);
await migrate(pool, "orchestrator", new URL("../migrations/", import.meta.url));
const db = { pool, tables: tablesOf("orchestrator") };

const tenant = async (slug: string, acts: object, state = "ready"): Promise<void> => {
  await pool.query(
    `INSERT INTO ${db.tables.tenants} (tenant_id, slug, shard, name, state, revision, tier, storage_type, resources, source,
       request_id, acts, created_at, updated_at)
     VALUES ($1, $2, 3, $2, $3, 1, 'free', 'none', '{}', 's', 'r', $4, now(), now())`,
    [randomUUID(), slug, state, JSON.stringify(acts)],
  );
};
const replaced = (inMs: number) => ({ until: new Date(Date.now() + inMs).toISOString() });

test("what was kept long enough is dropped, unless something else goes on with its tenant", async () => {
  await tenant("over", { replaced: replaced(-1_000) });
  await tenant("kept", { replaced: replaced(60_000) });
  await tenant("never", {});
  await tenant("busy", { replaced: replaced(-1_000), running: { sagaId: randomUUID(), kind: "backup" } });
  await tenant("closed", { replaced: replaced(-1_000) }, "suspended");
  await endRestores(db);
  const { rows } = await pool.query(`SELECT shard, body FROM ${db.tables.inbox}`);
  assert.deepEqual(
    rows.map(({ shard, body }) => [shard, body.act, body.slug, body.by]),
    [[3, "restore-end", "over", "deeplens"]],
  );
});
