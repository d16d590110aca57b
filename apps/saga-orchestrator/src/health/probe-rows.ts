import { stepNames } from "@deeplens/contracts";
import { type Queryable, sqlStateOf } from "@deeplens/postgres";
import type { IllParts } from "../saga/saga.ts";

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

const undefinedTable = "42P01";

/** What `work` gives, or `otherwise` where no worker has run on this database yet. */
const ifThere = async <T>(work: Promise<T>, otherwise: T): Promise<T> => {
  try {
    return await work;
  } catch (error) {
    if (sqlStateOf(error) === undefinedTable) return otherwise;
    throw error;
  }
};

/**
 * Makes the rows of `worker.probes` what they should be: one for each part of each tenant that is ready, told what the
 * tenant is now. New ones are due within `everyMs`, spread, for many may come at once.
 *
 * @param tenantId of one tenant only
 */
export const syncProbes = async (
  db: Queryable,
  tenants: string,
  everyMs: number,
  tenantId: string | null = null,
): Promise<void> => {
  await ifThere(
    db.query(
      `WITH wanted AS (
         SELECT t.tenant_id, s.step, t.slug, jsonb_build_object('name', t.name, 'tier', t.tier,
             'storageType', t.storage_type, 'inputs', t.resources) AS told
           FROM ${tenants} t CROSS JOIN unnest($2::text[]) AS s (step)
          WHERE t.state = 'ready' AND (s.step <> 'storage' OR t.storage_type <> 'none')
            AND ($3::uuid IS NULL OR t.tenant_id = $3)),
       unwanted AS (
         DELETE FROM worker.probes p USING ${tenants} t
          WHERE t.tenant_id = p.tenant_id AND t.state <> 'ready' AND ($3::uuid IS NULL OR t.tenant_id = $3)),
       changed AS (
         UPDATE worker.probes p SET told = w.told, every = $1 * interval '1 ms' FROM wanted w
          WHERE p.tenant_id = w.tenant_id AND p.step = w.step
            AND (p.told <> w.told OR p.every <> $1 * interval '1 ms'))
       INSERT INTO worker.probes (tenant_id, step, slug, told, every, due_at)
       SELECT tenant_id, step, slug, told, $1 * interval '1 ms', now() + random() * $1 * interval '1 ms' FROM wanted w
        WHERE NOT EXISTS (SELECT FROM worker.probes p WHERE p.tenant_id = w.tenant_id AND p.step = w.step)
       ON CONFLICT DO NOTHING`,
      [everyMs, stepNames, tenantId],
    ),
    undefined,
  );
};

/** Has the tenant's parts looked at as soon as a worker can; gives the database's time, to know what is newer. */
export const askNow = async (db: Queryable, tenantId: string): Promise<Date> => {
  const { rows } = await ifThere<{ rows: { now: Date }[] }>(
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
  const { rows } = await ifThere<{ rows: PartHealth[] }>(
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
  const { rows } = await ifThere<{ rows: HealthChange[] }>(
    db.query<HealthChange>(
      `SELECT * FROM (
         SELECT t.tenant_id AS "tenantId", t.slug, t.shard, COALESCE(t.acts->'degraded'->'parts', '{}') AS known,
           COALESCE((SELECT jsonb_object_agg(p.step, jsonb_build_object('code', p.code, 'message', p.reason))
             FROM worker.probes p WHERE p.tenant_id = t.tenant_id AND p.healthy = false), '{}') AS ill
         FROM ${tenants} t
        WHERE ($1::uuid IS NULL OR t.tenant_id = $1) AND (NOT t.acts ? 'running' OR t.acts ? 'rotation')
          AND (t.acts ? 'degraded' OR t.tenant_id IN (SELECT p.tenant_id FROM worker.probes p WHERE p.healthy = false))
       ) AS seen WHERE known <> ill`,
      [tenantId],
    ),
    { rows: [] },
  );
  return rows;
};
