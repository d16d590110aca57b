import type { z } from "zod";
import { type Paging, pageOf, startOf } from "./cursor.ts";
import type { auditEntrySchema, groupSchema } from "./desk-schemas.ts";
import type { Db, Tables } from "./tables.ts";

export type Group = z.infer<typeof groupSchema>;
type AuditEntry = z.infer<typeof auditEntrySchema>;

/**
 * The sagas that failed and that nobody has put right: none that an operator turned around, and none after which another saga
 * of the same tenant began.
 */
export const failedOf = ({ sagas }: Tables): string => `
  s.error IS NOT NULL AND s.error->>'code' <> 'aborted'
  AND s.status IN ('stuck', 'compensating', 'rolled-back', 'closed', 'undone')
  AND NOT EXISTS (SELECT FROM ${sagas} later WHERE later.tenant_id = s.tenant_id AND later.created_at > s.created_at)`;

/** Failed sagas by their cause, most first. */
export const readGroups = async ({ pool, tables }: Db): Promise<Group[]> => {
  const { rows } = await pool.query<
    Omit<Group, "oldestAt" | "newestAt"> & { oldestAt: Date; newestAt: Date }
  >(
    `WITH failed AS (
       SELECT nullif(s.error->>'step', '') AS step, s.error->>'code' AS code, s.status, s.kind, s.error->>'message' AS message,
              coalesce(s.finished_at, s.updated_at) AS failed_at
         FROM ${tables.sagas} s WHERE ${failedOf(tables)}),
     counted AS (SELECT step, code, status, count(*)::int AS count FROM failed GROUP BY step, code, status)
     SELECT f.step, f.code, count(*)::int AS count, array_agg(DISTINCT f.kind) AS kinds,
            (SELECT json_object_agg(c.status, c.count) FROM counted c
              WHERE c.step IS NOT DISTINCT FROM f.step AND c.code = f.code) AS statuses,
            min(f.failed_at) AS "oldestAt", max(f.failed_at) AS "newestAt",
            (array_agg(f.message ORDER BY f.failed_at DESC))[1] AS example
       FROM failed f GROUP BY f.step, f.code ORDER BY count(*) DESC, f.step, f.code`,
  );
  return rows.map((row) => ({
    ...row,
    oldestAt: row.oldestAt.toISOString(),
    newestAt: row.newestAt.toISOString(),
  }));
};

export interface AuditFilter {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly subject?: string | undefined;
  readonly since?: string | undefined;
}

/** A page of the audit, newest first. */
export const readAudit = async (
  { pool, tables }: Db,
  filter: AuditFilter,
  paging: Paging,
): Promise<{ items: AuditEntry[]; next: string | null }> => {
  const before = startOf(paging);
  const { rows } = await pool.query<Omit<AuditEntry, "at"> & { at: Date }>(
    `SELECT id, at, actor, action, subject, reason, origin, outcome FROM ${tables.audit}
      WHERE ($1::text IS NULL OR actor = $1) AND ($2::text IS NULL OR starts_with(action, $2))
        AND ($3::text IS NULL OR subject = $3) AND ($4::timestamptz IS NULL OR at >= $4)
        AND ($5::bigint IS NULL OR id < $5)
      ORDER BY id DESC LIMIT $6`,
    [
      filter.actor ?? null,
      filter.action ?? null,
      filter.subject ?? null,
      filter.since ?? null,
      before === undefined ? null : Number(before.id),
      paging.limit + 1,
    ],
  );
  return pageOf(
    rows,
    paging,
    ({ id }) => ({ microseconds: 0, id: String(id) }),
    (row) => ({ ...row, at: row.at.toISOString() }),
  );
};
