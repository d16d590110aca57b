import { stepNames } from "@deeplens/contracts";
import type { Queryable } from "@deeplens/postgres";
import type { IllParts } from "../saga/saga.ts";
import { ofWorkers } from "../store/of-workers.ts";

// The workers' table (libs/worker/migrations/0003-probes.sql): who is looked at is written here, what was seen by them.

/** What is known of one part of a tenant. */
export interface PartHealth {
  readonly part: string;
  /** Null: nobody has looked yet. */
  readonly healthy: boolean | null;
  readonly checkedAt: Date | null;
  readonly since: Date | null;
  readonly code: string | null;
  readonly reason: string | null;
  readonly facts: Readonly<Record<string, string>>;
}

/** A tenant whose parts are seen to be other than what is known of it. */
export interface HealthChange {
  readonly tenantId: string;
  readonly slug: string;
  readonly shard: number;
  readonly known: IllParts;
  readonly ill: IllParts;
}

/** Makes one tenant's rows of `worker.probes` what they should be (see `followTenants`). */
export const syncTenant = async (
  db: Queryable,
  tenants: string,
  everyMs: number,
  tenantId: string,
): Promise<void> => {
  const chosen = `SELECT * FROM ${tenants} WHERE tenant_id = $3`;
  await ofWorkers(db.query(syncSql(chosen, "SELECT"), [everyMs, stepNames, tenantId]), undefined);
};

// A batch is written with the moment at which it began, by its host's clock, and takes 30 s at the most.
const settledMs = 60_000;

/**
 * Makes the rows of `worker.probes` follow the tenants: one row for each part of each tenant that is ready, told what the
 * tenant is now. New ones are due within `everyMs`, spread, for many may come at once; what is ill of a tenant that
 * changed is due at once. Looks only at tenants that changed since the last call, the longest ago first, and at those
 * only when no older change can appear any more.
 *
 * @param atMost so many of a shard
 * @returns how many it followed
 */
export const followTenants = async (
  db: Queryable,
  { tenants, shards }: { readonly tenants: string; readonly shards: string },
  everyMs: number,
  atMost: number,
): Promise<number> => {
  // A clock of the database that was set back must not hide what changes from then on: then it follows again.
  const chosen = `
    SELECT t.* FROM ${shards} s LEFT JOIN worker.probes_followed f ON f.shard = s.shard
    CROSS JOIN LATERAL (SELECT now() - $4 * interval '1 ms' AS until) AS settled
    CROSS JOIN LATERAL (
      SELECT * FROM ${tenants} t
       WHERE t.shard = s.shard AND t.updated_at < until
         AND (f.shard IS NULL
           OR t.updated_at >= LEAST(f.updated_at, until - interval '1 s') AND (f.updated_at > until OR (t.updated_at, t.tenant_id) > (f.updated_at, f.tenant_id)))
       ORDER BY t.updated_at, t.tenant_id LIMIT $3) AS t`;
  const followed = `
    INSERT INTO worker.probes_followed (shard, updated_at, tenant_id)
    SELECT DISTINCT ON (shard) shard, updated_at, tenant_id FROM chosen ORDER BY shard, updated_at DESC, tenant_id DESC
    ON CONFLICT (shard) DO UPDATE SET updated_at = excluded.updated_at, tenant_id = excluded.tenant_id`;
  const { rows } = await ofWorkers<{ rows: { count: number }[] }>(
    db.query<{ count: number }>(syncSql(chosen, followed), [everyMs, stepNames, atMost, settledMs]),
    { rows: [] },
  );
  return rows[0]?.count ?? 0;
};

/** Has what is looked at already be looked at as often as is configured now. */
export const setEvery = async (db: Queryable, everyMs: number): Promise<void> => {
  await ofWorkers(
    db.query("UPDATE worker.probes SET every = $1 * interval '1 ms' WHERE every <> $1 * interval '1 ms'", [
      everyMs,
    ]),
    undefined,
  );
};

/** @param chosen the tenants, as a query; `also` is done in the same statement */
const syncSql = (chosen: string, also: string): string => `
  WITH chosen AS MATERIALIZED (${chosen}),
  wanted AS MATERIALIZED (
    SELECT t.tenant_id, s.step, t.slug, jsonb_build_object('name', t.name, 'tier', t.tier,
        'storageType', t.storage_type, 'inputs', t.resources) AS told
      FROM chosen t CROSS JOIN unnest($2::text[]) AS s (step)
     WHERE t.state = 'ready' AND (s.step <> 'storage' OR t.storage_type <> 'none')),
  unwanted AS (
    DELETE FROM worker.probes p USING chosen t WHERE t.tenant_id = p.tenant_id AND t.state <> 'ready'),
  put AS (
    INSERT INTO worker.probes AS p (tenant_id, step, slug, told, every, due_at)
    SELECT tenant_id, step, slug, told, $1 * interval '1 ms', now() + random() * $1 * interval '1 ms' FROM wanted
    ON CONFLICT (tenant_id, step) DO UPDATE SET told = excluded.told, every = excluded.every,
      due_at = CASE WHEN p.healthy = false THEN now() ELSE p.due_at END
     WHERE p.told <> excluded.told OR p.every <> excluded.every OR p.healthy = false),
  also AS (${also})
  SELECT count(*)::int AS count FROM chosen`;

/** Has the tenant's parts looked at as soon as a worker can; gives the database's time, to know what is newer. */
export const askNow = async (db: Queryable, tenantId: string): Promise<Date> => {
  const { rows } = await ofWorkers<{ rows: { now: Date }[] }>(
    db.query<{ now: Date }>(
      // now(), by which the trigger sees that it is due, and wakes the workers.
      `WITH asked AS (UPDATE worker.probes SET due_at = now() WHERE tenant_id = $1) SELECT now() AS now`,
      [tenantId],
    ),
    { rows: [{ now: new Date() }] },
  );
  if (rows[0] === undefined) throw new Error("the database did not tell the time");
  return rows[0].now;
};

/** What is known of a tenant's parts, in the order of the steps. */
export const readHealth = async (db: Queryable, tenantId: string): Promise<readonly PartHealth[]> => {
  const { rows } = await ofWorkers<{ rows: PartHealth[] }>(
    db.query<PartHealth>(
      `SELECT step AS part, healthy, checked_at AS "checkedAt", since, code, reason, facts FROM worker.probes
       WHERE tenant_id = $1 ORDER BY array_position($2::text[], step)`,
      [tenantId, stepNames],
    ),
    { rows: [] },
  );
  return rows;
};

/**
 * Tenants of which something else is known than was seen; none that an act is changing: the look after it tells. A rotation
 * changes nothing while old and new credentials are good.
 */
export const readChanges = async (
  db: Queryable,
  tenants: string,
  tenantId: string | null = null,
): Promise<readonly HealthChange[]> => {
  const { rows } = await ofWorkers<{ rows: HealthChange[] }>(
    db.query<HealthChange>(
      `WITH news AS (
         SELECT tenant_id FROM worker.probes WHERE healthy = false AND ($1::uuid IS NULL OR tenant_id = $1)
         UNION
         SELECT tenant_id FROM ${tenants} WHERE acts ? 'degraded' AND ($1::uuid IS NULL OR tenant_id = $1))
       SELECT * FROM (
         SELECT t.tenant_id AS "tenantId", t.slug, t.shard, COALESCE(t.acts->'degraded'->'parts', '{}') AS known,
           COALESCE((SELECT jsonb_object_agg(p.step, jsonb_build_object('code', p.code, 'message', p.reason))
             FROM worker.probes p WHERE p.tenant_id = t.tenant_id AND p.healthy = false), '{}') AS ill
         FROM ${tenants} t JOIN news ON news.tenant_id = t.tenant_id
        WHERE NOT t.acts ? 'running' OR t.acts ? 'rotation'
       ) AS seen WHERE known <> ill`,
      [tenantId],
    ),
    { rows: [] },
  );
  return rows;
};
