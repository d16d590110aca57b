import { type TierName, tiers } from "@deeplens/contracts";
import type { z } from "zod";
import { reasonOf } from "../saga/announce.ts";
import type { TenantActs } from "../saga/saga.ts";
import { conditions } from "./conditions.ts";
import { type Paging, pageOf, startOf } from "./cursor.ts";
import type { tenantSchema } from "./schemas.ts";
import type { Db, Tables } from "./tables.ts";

export type TenantView = z.infer<typeof tenantSchema>;

interface TenantRow {
  readonly tenant_id: string;
  readonly slug: string;
  readonly name: string;
  readonly state: string;
  readonly revision: number;
  readonly tier: string;
  readonly storage_type: string;
  readonly resources: Record<string, string>;
  readonly acts: TenantActs;
  readonly saga_id: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly microseconds: number;
}

const selectFrom = (tables: Tables): string => `
  SELECT t.*, (extract(epoch FROM t.created_at) * 1000000)::bigint AS microseconds,
         (SELECT s.saga_id FROM ${tables.sagas} s WHERE s.tenant_id = t.tenant_id
          ORDER BY s.created_at DESC LIMIT 1) AS saga_id
  FROM ${tables.tenants} t`;

const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);

/** The tenant of that id, or the one that has (or had last) that slug; undefined where there is none. */
export const findTenant = async ({ pool, tables }: Db, slugOrId: string): Promise<TenantView | undefined> => {
  const { rows } = isUuid(slugOrId)
    ? await pool.query<TenantRow>(`${selectFrom(tables)} WHERE t.tenant_id = $1`, [slugOrId])
    : await pool.query<TenantRow>(
        `${selectFrom(tables)} WHERE t.slug = $1 ORDER BY t.created_at DESC LIMIT 1`,
        [slugOrId],
      );
  return rows[0] === undefined ? undefined : viewOf(rows[0]);
};

export interface TenantFilter {
  readonly state?: readonly string[] | undefined;
  readonly text?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** A page of tenants, newest first. */
export const listTenants = async (
  { pool, tables }: Db,
  { state, text, since, until }: TenantFilter,
  paging: Paging,
): Promise<{ items: TenantView[]; next: string | null }> => {
  const where = conditions();
  if (state !== undefined) where.add((value) => `t.state = ANY (${value}::text[])`, state);
  if (text !== undefined) where.add((value) => `starts_with(t.slug, ${value})`, text.toLowerCase());
  if (since !== undefined) where.add((value) => `t.created_at >= ${value}::timestamptz`, since);
  if (until !== undefined) where.add((value) => `t.created_at < ${value}::timestamptz`, until);
  where.before("t.created_at", "t.tenant_id", startOf(paging));
  const { rows } = await pool.query<TenantRow>(
    `${selectFrom(tables)} ${where.sql()} ORDER BY t.created_at DESC, t.tenant_id DESC LIMIT ${paging.limit + 1}`,
    where.values,
  );
  return pageOf(rows, paging, (row) => ({ microseconds: row.microseconds, id: row.tenant_id }), viewOf);
};

const viewOf = (row: TenantRow): TenantView => ({
  tenantId: row.tenant_id,
  slug: row.slug,
  name: row.name,
  state: row.state,
  revision: row.revision,
  tier: row.tier,
  limits: limitsOf(row.tier),
  storageType: row.storage_type,
  resources: row.resources,
  degraded: degradedOf(row.acts),
  sagaId: row.saga_id,
  running:
    row.acts.running === undefined ? null : { sagaId: row.acts.running.sagaId, kind: row.acts.running.kind },
  suspended:
    row.acts.suspension === undefined
      ? null
      : { since: row.acts.suspension.since, reason: row.acts.suspension.reason },
  rotation:
    row.acts.rotation === undefined ? null : { ...row.acts.rotation, parts: [...row.acts.rotation.parts] },
  removal: row.acts.removal === undefined ? null : { slugHeldUntil: null, ...row.acts.removal },
  replaced: row.acts.replaced ?? null,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

/** The rotation that runs, or the removal that runs or has run: what an act on it changes. */
export const changedSagaOf = ({ running, removal }: TenantView): string | undefined =>
  running?.kind === "rotate" ? running.sagaId : removal?.sagaId;

const degradedOf = ({ degraded }: TenantActs): TenantView["degraded"] =>
  degraded === undefined ? null : { since: degraded.since, reason: reasonOf(degraded.parts) };

const limitsOf = (tier: string): TenantView["limits"] => {
  if (!(tier in tiers)) return null;
  const { storageBytes, users, apiCallsPerDay } = tiers[tier as TierName];
  return { storageBytes, users, apiCallsPerDay };
};
