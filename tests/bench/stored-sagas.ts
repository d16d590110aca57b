import { type Pool, withConnection } from "@deeplens/postgres";

const atOnce = 50_000;

/**
 * Fills the tables with copies of one saga that became ready: every row that it left, in the engine's tables and the
 * workers', with ids and slugs of their own. No command and no event of theirs is in Kafka: that is how a saga of last
 * month looks.
 *
 * @param slug of the saga to copy
 */
export const fillWithSagas = async (
  pool: Pool,
  slug: string,
  count: number,
  progress: (text: string) => void,
): Promise<void> => {
  for (let from = 1; from <= count; from += atOnce) {
    const to = Math.min(count, from + atOnce - 1);
    for (const statement of statements) await pool.query(statement, [slug, from, to]);
    progress(`${to} of ${count} finished sagas are in the tables`);
  }
  if (count === 0) return;
  progress("vacuum: what has lain there for a month has been");
  // Who changed long ago has been followed (apps/saga-orchestrator/src/health).
  await pool.query(
    `INSERT INTO worker.probes_followed (shard, updated_at, tenant_id)
     SELECT DISTINCT ON (shard) shard, updated_at, tenant_id FROM orchestrator.tenants WHERE slug LIKE 'stored-%'
     ORDER BY shard, updated_at DESC ON CONFLICT (shard) DO NOTHING`,
  );
  await withConnection(pool, async (client) => {
    await client.query("SET statement_timeout = 0");
    await client.query("VACUUM (ANALYZE)");
    await client.query("RESET statement_timeout");
  });
};

// n becomes a slug, and by its digest the same ids in every table.
const copies = `generate_series($2::int, $3::int) AS n`;
const ofSaga = `orchestrator.sagas s WHERE s.slug = $1`;

const statements = [
  `INSERT INTO orchestrator.sagas (saga_id, tenant_id, slug, shard, kind, status, machine_version, version, snapshot, steps,
     timers, error, request, next_due, created_at, updated_at, finished_at)
   SELECT md5('saga' || n)::uuid, md5('tenant' || n)::uuid, 'stored-' || n, s.shard, kind, status, machine_version, version,
     snapshot, steps, timers, error, request, next_due, created_at - n * interval '1 s', updated_at, finished_at
   FROM ${copies}, ${ofSaga}`,
  `INSERT INTO orchestrator.history (saga_id, at, event, step, fence, body)
   SELECT md5('saga' || n)::uuid, h.at, h.event, h.step, h.fence, h.body
   FROM ${copies}, orchestrator.history h WHERE h.saga_id = (SELECT saga_id FROM ${ofSaga})`,
  `INSERT INTO orchestrator.tenants (tenant_id, slug, shard, name, state, revision, tier, storage_type, resources, source,
     request_id, created_at, updated_at)
   SELECT md5('tenant' || n)::uuid, 'stored-' || n, t.shard, name, state, revision, tier, storage_type, resources, source,
     'stored-' || n, created_at, updated_at - interval '1 day' - n * interval '1 s'
   FROM ${copies}, orchestrator.tenants t WHERE t.slug = $1`,
  `INSERT INTO orchestrator.reservations (slug, tenant_id, saga_id, fence, released)
   SELECT 'stored-' || n, md5('tenant' || n)::uuid, md5('saga' || n)::uuid, fence, released
   FROM ${copies}, orchestrator.reservations r WHERE r.slug = $1`,
  `INSERT INTO orchestrator.requests (source, request_id, payload_hash, tenant_id, saga_id, rejection, received_at)
   SELECT r.source, 'stored-' || n, payload_hash, md5('tenant' || n)::uuid, md5('saga' || n)::uuid, rejection, received_at
   FROM ${copies}, orchestrator.requests r WHERE r.request_id = $1`,
  `INSERT INTO worker.probes (tenant_id, step, slug, told, every, due_at, checked_at, healthy, since)
   SELECT md5('tenant' || n)::uuid, step, 'stored-' || n, jsonb_build_object('name', t.name, 'tier', t.tier, 'storageType',
     t.storage_type, 'inputs', t.resources), interval '15 minutes', now() + interval '1 day', now(), true, now()
   FROM ${copies}, orchestrator.tenants t, unnest(ARRAY['database', 'storage', 'vectors', 'backup', 'identity']) AS step
   WHERE t.slug = $1`,
  `INSERT INTO worker.parts (slug, step, tenant_id, fence, state, reply_record, reply, reply_headers)
   SELECT 'stored-' || n, step, md5('tenant' || n)::uuid, fence, state, reply_record, reply, reply_headers
   FROM ${copies}, worker.parts p WHERE p.slug = $1`,
];
