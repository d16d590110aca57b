import { shardOf, stepNames } from "@deeplens/contracts";
import type { Pool } from "@deeplens/postgres";
import { v4 } from "uuid";
import type { StepRecord, Timer } from "../saga/saga.ts";

// Rows for tests of the API, as the engine would have written them.

export const insertTenant = async (
  pool: Pool,
  schema: string,
  tenant: { slug: string; state: string; at?: string },
): Promise<string> => {
  const tenantId = v4();
  await pool.query(
    `INSERT INTO ${schema}.tenants (tenant_id, slug, shard, name, state, revision, tier, storage_type, resources,
       source, request_id, created_at, updated_at)
     VALUES ($1::uuid, $2::text, $3, $2::text, $4, 1, 'free', 'deeplens', '{"database.database": "tenant_acme_metadata"}',
       '/tests', $1::uuid::text, coalesce($5::timestamptz, now()), now())`,
    [tenantId, tenant.slug, shardOf(tenant.slug, 6), tenant.state, tenant.at ?? null],
  );
  return tenantId;
};

export const insertSaga = async (
  pool: Pool,
  schema: string,
  saga: {
    slug: string;
    status: string;
    tenantId?: string;
    states?: Record<string, string>;
    steps?: Record<string, StepRecord>;
    timers?: Record<string, Timer>;
    error?: { step: string; code: string; message: string };
  },
): Promise<string> => {
  const sagaId = v4();
  const tenantId = saga.tenantId ?? v4();
  const states = saga.states ?? Object.fromEntries(stepNames.map((step) => [step, "pending"]));
  const request = {
    source: "/tests",
    requestId: sagaId,
    spec: {
      name: saga.slug,
      slug: saga.slug,
      tier: "free",
      storage: { type: "deeplens" },
      administrator: { email: "ada@acme.example", firstName: "Ada", lastName: "Lovelace" },
    },
  };
  await pool.query(
    `INSERT INTO ${schema}.sagas (saga_id, tenant_id, slug, shard, kind, status, machine_version, version, snapshot,
       steps, timers, error, request, next_due, created_at, updated_at)
     VALUES ($1, $2, $3, $4, 'provision', $5, 1, 1, $6, $7, $8, $9, $10, now(), now(), now())`,
    [
      sagaId,
      tenantId,
      saga.slug,
      shardOf(saga.slug, 6),
      saga.status,
      JSON.stringify({ value: { ...states, course: "forward" }, facts: { leftOut: [] } }),
      JSON.stringify(saga.steps ?? {}),
      JSON.stringify(saga.timers ?? {}),
      saga.error === undefined ? null : JSON.stringify(saga.error),
      JSON.stringify(request),
    ],
  );
  return sagaId;
};

export const insertHistory = async (
  pool: Pool,
  schema: string,
  sagaId: string,
  event: string,
): Promise<number> => {
  const { rows } = await pool.query<{ id: number }>(
    `INSERT INTO ${schema}.history (saga_id, at, event, step, fence, body)
     VALUES ($1, now(), $2, NULL, NULL, '{}') RETURNING id`,
    [sagaId, event],
  );
  return rows[0]?.id ?? 0;
};
