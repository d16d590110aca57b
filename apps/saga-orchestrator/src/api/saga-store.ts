import type { z } from "zod";
import type { ApiContext } from "./context.ts";
import { type Cursor, pageOf } from "./cursor.ts";
import { type SagaRow, type SagaSummary, type SagaView, sagaSummaryOf, sagaViewOf } from "./saga-view.ts";
import type { historyEntrySchema } from "./schemas.ts";
import type { Db } from "./tables.ts";

export type HistoryEntry = z.infer<typeof historyEntrySchema>;

/** The saga as a person sees it; undefined where there is none. */
export const findSaga = async (
  { db: { pool, tables }, settings: { attempts } }: Pick<ApiContext, "db" | "settings">,
  sagaId: string,
): Promise<SagaView | undefined> => {
  const { rows } = await pool.query<SagaRow>(`SELECT * FROM ${tables.sagas} WHERE saga_id = $1`, [sagaId]);
  return rows[0] === undefined ? undefined : sagaViewOf(rows[0], attempts);
};

/** Where a saga is and whose it is: what an act needs to know. */
export const findSagaPlace = async (
  { pool, tables }: Db,
  sagaId: string,
): Promise<
  { tenantId: string; slug: string; shard: number; status: string; version: number } | undefined
> => {
  const { rows } = await pool.query(
    `SELECT tenant_id AS "tenantId", slug, shard, status, version FROM ${tables.sagas} WHERE saga_id = $1`,
    [sagaId],
  );
  return rows[0];
};

export interface SagaFilter {
  readonly statuses: readonly string[] | undefined;
  readonly step: string | undefined;
  readonly slug: string | undefined;
  readonly before: Cursor | undefined;
  readonly limit: number;
}

/** A page of sagas, newest first. */
export const listSagas = async (
  { pool, tables }: Db,
  filter: SagaFilter,
): Promise<{ items: SagaSummary[]; next: string | null }> => {
  const { rows } = await pool.query<SagaRow & { microseconds: number }>(
    `SELECT *, (extract(epoch FROM created_at) * 1000000)::bigint AS microseconds FROM ${tables.sagas}
     WHERE ($1::text[] IS NULL OR status = ANY($1))
       AND ($2::text IS NULL OR error->>'step' = $2)
       AND ($3::text IS NULL OR slug = $3)
       AND ($4::bigint IS NULL
            OR (created_at, saga_id) < ('epoch'::timestamptz + $4 * interval '1 microsecond', $5::uuid))
     ORDER BY created_at DESC, saga_id DESC LIMIT $6`,
    [
      filter.statuses ?? null,
      filter.step ?? null,
      filter.slug ?? null,
      filter.before?.microseconds ?? null,
      filter.before?.id ?? null,
      filter.limit + 1,
    ],
  );
  return pageOf(
    rows,
    filter.limit,
    (row) => ({ microseconds: row.microseconds, id: row.saga_id }),
    sagaSummaryOf,
  );
};

interface HistoryRow extends Omit<HistoryEntry, "at"> {
  readonly at: Date;
}

/** The entries of a saga's history after the one with id `after`, oldest first. Ids grow in the order of commits. */
export const readHistory = async (
  { pool, tables }: Db,
  sagaId: string,
  after: number,
  limit: number,
): Promise<HistoryEntry[]> => {
  const { rows } = await pool.query<HistoryRow>(
    `SELECT id, at, event, step, fence, body FROM ${tables.history}
     WHERE saga_id = $1 AND id > $2 ORDER BY id LIMIT $3`,
    [sagaId, after, limit],
  );
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
};
