import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Installation } from "@deeplens/e2e/support";
import { tracesOf } from "@deeplens/e2e/traces";

/** How a tenant's saga stands, as its row tells. */
export interface TenantSaga {
  readonly saga_id: string;
  readonly tenant_id: string;
  readonly slug: string;
  readonly status: string;
  readonly error: { readonly step: string; readonly code: string } | null;
  readonly steps: Readonly<Record<string, StepWork>>;
}

interface StepWork {
  readonly durationMs?: number;
  readonly calls?: readonly { readonly name: string; readonly durationMs: number }[];
}

/** Slugs that no other run has. */
export const freshSlugs = (hint: string, count: number): string[] => {
  const run = randomBytes(3).toString("hex");
  return Array.from({ length: count }, (_, index) => `${hint}-${run}-${index + 1}`);
};

/** The sagas of these tenants, in their order. @throws where one has none, or several */
export const sagasOf = async ({ control }: Installation, slugs: readonly string[]): Promise<TenantSaga[]> => {
  const { rows } = await control.query<TenantSaga>(
    "SELECT saga_id, tenant_id, slug, status, error, steps FROM orchestrator.sagas WHERE slug = ANY ($1)",
    [slugs],
  );
  return slugs.map((slug) => {
    const [saga, ...more] = rows.filter((row) => row.slug === slug);
    assert.ok(saga !== undefined && more.length === 0, `${slug} has one saga`);
    return saga;
  });
};

/** What each tenant has, as the search for traces names it; the number says how many at least. */
const parts: Readonly<Record<string, number>> = {
  database: 1,
  role: 2,
  "redis user": 1,
  "kafka topic": 1,
  "kafka user": 1,
  "kafka acl": 1,
  bucket: 1,
  "minio policy": 1,
  "minio user": 1,
  "minio service account": 1,
  container: 2,
  volume: 2,
  "port lease": 1,
  secret: 1,
  "identity tenant": 1,
};

/** The parts of a tenant that no service knows of; empty for one that is whole. */
export const missingOf = async (installation: Installation, saga: TenantSaga): Promise<string[]> => {
  const traces = await tracesOf(installation, { tenantId: saga.tenant_id, slug: saga.slug });
  return Object.entries(parts)
    .filter(([part, least]) => traces.filter((trace) => trace.startsWith(`${part} `)).length < least)
    .map(([part]) => `${saga.slug} has no ${part}`);
};
