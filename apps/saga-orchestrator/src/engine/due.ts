import type { Queryable } from "@deeplens/postgres";
import { sqlStateOf } from "@deeplens/postgres";
import type { InboxBody } from "../saga/inbox.ts";
import type { Input, SweepInput } from "./inputs.ts";

const atOnce = 500;

/** Timers that are due and inbox rows that wait. Only the shards' owner asks, so no lock is needed yet. */
export const readDue = async (
  db: Queryable,
  schema: string,
  shards: { readonly timersOf: readonly number[]; readonly inboxOf: readonly number[] },
  now: Date,
): Promise<Input[]> => {
  const { rows } = await db.query<{
    kind: string;
    shard: number;
    sagaId: string | null;
    id: number | null;
    body: InboxBody | null;
  }>({
    name: "read-due",
    text: `(SELECT 'timer' AS kind, shard, saga_id AS "sagaId", NULL::bigint AS id, NULL::jsonb AS body
              FROM ${schema}.sagas WHERE shard = ANY ($1) AND next_due <= $2 ORDER BY next_due LIMIT ${atOnce})
           UNION ALL
           (SELECT 'inbox', shard, NULL, id, body FROM ${schema}.inbox WHERE shard = ANY ($3) AND done_at IS NULL ORDER BY id LIMIT ${atOnce})`,
    values: [shards.timersOf, now, shards.inboxOf],
  });
  return rows.map(
    ({ kind, shard, sagaId, id, body }): Input =>
      kind === "timer"
        ? { from: "timer", shard, sagaId: sagaId as string }
        : { from: "inbox", shard, id: id as number, body: body as InboxBody },
  );
};

const undefinedTable = "42P01";

/**
 * Intents that are open though their tenant's saga is closed: something of it may still have landed. Not while another
 * tenant has the slug.
 */
export const readSweep = async (
  db: Queryable,
  schema: string,
  shards: readonly number[],
): Promise<SweepInput[]> => {
  try {
    const { rows } = await db.query<{ shard: number; sagaId: string; step: string }>(
      `SELECT DISTINCT s.shard, s.saga_id AS "sagaId", i.step
         FROM worker.open_intents i JOIN ${schema}.sagas s ON s.tenant_id = i.owner AND s.status = 'closed'
         JOIN ${schema}.reservations r ON r.slug = s.slug AND (r.tenant_id = s.tenant_id OR r.released)
        WHERE s.shard = ANY ($1) LIMIT ${atOnce}`,
      [shards],
    );
    return rows.map((row) => ({ from: "sweep", ...row }));
  } catch (error) {
    // No worker has run on this database yet: there is no ledger to sweep.
    if (sqlStateOf(error) === undefinedTable) return [];
    throw error;
  }
};
