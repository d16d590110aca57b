import type { z } from "zod";
import { type Conditions, conditions } from "./conditions.ts";
import type { ApiContext } from "./context.ts";
import { type Paging, pageOf, startOf } from "./cursor.ts";
import { failedOf } from "./desk-store.ts";
import { type SagaRow, type SagaSummary, type SagaView, sagaSummaryOf, sagaViewOf } from "./saga-view.ts";
import type { historyEntrySchema } from "./schemas.ts";
import type { Db, Tables } from "./tables.ts";

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
  readonly status?: readonly string[] | undefined;
  readonly step?: string | undefined;
  readonly code?: string | undefined;
  readonly failed?: string | undefined;
  readonly slug?: string | undefined;
  readonly tenant?: string | undefined;
  readonly kind?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly text?: string | undefined;
}

/** The conditions of a filter over `sagas s`; only what is asked for is in the statement, so that it can go by an index. */
export const conditionsOf = (tables: Tables, filter: SagaFilter, where: Conditions): void => {
  const { status, step, code, failed, slug, tenant, kind, since, until, text } = filter;
  if (status !== undefined) where.add((value) => `s.status = ANY (${value}::text[])`, status);
  if (step !== undefined || code !== undefined) where.add(() => "s.error IS NOT NULL");
  if (step !== undefined) where.add((value) => `s.error->>'step' = ${value}`, step === "-" ? "" : step);
  if (code !== undefined) where.add((value) => `s.error->>'code' = ${value}`, code);
  if (failed !== undefined) where.add(() => failedOf(tables));
  if (slug !== undefined) where.add((value) => `s.slug = ${value}`, slug);
  if (tenant !== undefined) where.add((value) => `s.tenant_id = ${value}::uuid`, tenant);
  if (kind !== undefined) where.add((value) => `s.kind = ${value}`, kind);
  if (since !== undefined) where.add((value) => `s.created_at >= ${value}::timestamptz`, since);
  if (until !== undefined) where.add((value) => `s.created_at < ${value}::timestamptz`, until);
  if (text !== undefined)
    // Two ways in, each by an index of its own.
    where.add(
      (value) =>
        `s.saga_id IN (
           SELECT saga_id FROM ${tables.sagas} WHERE slug LIKE ${value}
           UNION ALL SELECT saga_id FROM ${tables.sagas} WHERE error IS NOT NULL
             AND (error->>'code' ILIKE '%' || ${value} OR error->>'message' ILIKE '%' || ${value}))`,
      `${text.toLowerCase().replace(/[\\%_]/g, "\\$&")}%`,
    );
};

/** A page of sagas, newest first. */
export const listSagas = async (
  { pool, tables }: Db,
  filter: SagaFilter,
  paging: Paging,
): Promise<{ items: SagaSummary[]; next: string | null }> => {
  const where = conditions();
  conditionsOf(tables, filter, where);
  where.before("s.created_at", "s.saga_id", startOf(paging));
  const { rows } = await pool.query<SagaRow & { microseconds: number }>(
    `SELECT s.saga_id, s.tenant_id, s.slug, s.kind, s.status, s.error, s.created_at, s.updated_at, s.finished_at,
            (extract(epoch FROM s.created_at) * 1000000)::bigint AS microseconds
       FROM ${tables.sagas} s ${where.sql()} ORDER BY s.created_at DESC, s.saga_id DESC LIMIT ${paging.limit + 1}`,
    where.values,
  );
  return pageOf(rows, paging, (row) => ({ microseconds: row.microseconds, id: row.saga_id }), sagaSummaryOf);
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
