import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { migrate } from "@deeplens/postgres";
import { testDatabase } from "@deeplens/testing";
import { readTenantsChangedSince } from "./read-outbox.ts";

// Seen to fail with every tenant published: the rolled-back one comes last, and is what compaction keeps of the slug.
test("rule 5: after a hand-over a slug's last state is that of the tenant that has it now", async (t) => {
  const { pool } = await testDatabase((work) => t.after(work));
  await migrate(pool, "orchestrator", new URL("../../migrations/", import.meta.url));
  const [rolledBack, ready] = [randomUUID(), randomUUID()];
  for (const [id, state, changed] of [
    [rolledBack, "rolled-back", "2026-01-01T00:00:00Z"],
    [ready, "ready", "2026-01-01T00:05:00Z"],
  ])
    await pool.query(
      `INSERT INTO orchestrator.tenants (tenant_id, slug, shard, name, state, revision, tier, storage_type, source,
         request_id, created_at, updated_at) VALUES ($1, 'acme', 0, 'Acme', $2, 3, 'free', 'none', 'tests', 'a request', $3, $3)`,
      [id, state, changed],
    );
  await pool.query(
    "INSERT INTO orchestrator.reservations (slug, tenant_id, saga_id) VALUES ('acme', $1, $1)",
    [ready],
  );
  const tenants = await readTenantsChangedSince(pool, "orchestrator", [0], new Date(0));
  assert.deepEqual(
    tenants.map(({ tenantId, slug, state }) => [tenantId, slug, state]),
    [[ready, "acme", "ready"]],
  );
});
