import type { Queryable } from "@deeplens/postgres";
import { sqlStateOf } from "@deeplens/postgres";
import type { InboxBody } from "../saga/inbox.ts";
import type { InboxInput, SweepInput } from "./inputs.ts";
import type { DueSaga } from "./timetable.ts";

/** Most inputs of one kind that a transaction takes. */
export const atOnce = 500;

/** Inbox rows that wait. Only the shards' owner asks, so no lock is needed yet. */
export const readInbox = async (
  db: Queryable,
  schema: string,
  shards: readonly number[],
): Promise<InboxInput[]> => {
  const { rows } = await db.query<{ id: number; shard: number; body: InboxBody }>({
    name: "read-inbox",
    text: `SELECT id, shard, body FROM ${schema}.inbox WHERE shard = ANY ($1) AND done_at IS NULL ORDER BY id LIMIT ${atOnce}`,
    values: [shards],
  });
  return rows.map((row) => ({ from: "inbox", ...row }));
};

/** When the earliest timers of these shards' sagas are due. */
export const readTimetable = async (
  db: Queryable,
  schema: string,
  shards: readonly number[],
): Promise<DueSaga[]> => {
  const { rows } = await db.query<DueSaga>(
    `SELECT saga_id AS "sagaId", shard, (extract(epoch FROM next_due) * 1000)::float8 AS "dueMs" FROM ${schema}.sagas
      WHERE shard = ANY ($1) AND status NOT IN ('ready', 'done', 'undone', 'closed') AND next_due IS NOT NULL`,
    [shards],
  );
  return rows;
};

const undefinedTable = "42P01";

/**
 * Intents that are open though their tenant is gone, by a rollback or a removal: something of it may still have landed. Not
 * while another tenant has the slug.
 */
export const readSweep = async (
  db: Queryable,
  schema: string,
  shards: readonly number[],
): Promise<SweepInput[]> => {
  try {
    const { rows } = await db.query<{ shard: number; sagaId: string; step: string }>(
      `SELECT DISTINCT s.shard, s.saga_id AS "sagaId", i.step
         FROM worker.open_intents i JOIN ${schema}.sagas s ON s.tenant_id = i.owner AND s.status IN ('removed', 'closed')
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
