import type { TierName } from "@deeplens/contracts";
import type { Pool } from "@deeplens/postgres";
import type { OperationCommand, Tenant } from "../step.ts";

/** A look that is due, as its worker took it. */
export interface DueProbe {
  readonly tenant: Tenant;
  readonly tier: TierName;
  readonly storage: OperationCommand["storage"];
  readonly inputs: Readonly<Record<string, string>>;
}

/** What was seen. */
export interface ProbeResult {
  readonly healthy: boolean;
  readonly code: string | null;
  readonly reason: string | null;
  readonly facts: Readonly<Record<string, string>>;
}

interface Row {
  readonly tenant_id: string;
  readonly slug: string;
  readonly told: {
    readonly name: string;
    readonly tier: string;
    readonly storageType: string;
    readonly inputs: Record<string, string>;
  };
}

/** Takes up to `atMost` looks of this step that are due; whoever died with one loses it after `takenMs`. */
export const takeDue = async (
  pool: Pool,
  step: string,
  atMost: number,
  takenMs: number,
): Promise<readonly DueProbe[]> => {
  const { rows } = await pool.query<Row>(
    `UPDATE worker.probes p SET taken_until = now() + $3 * interval '1 ms'
     FROM (SELECT tenant_id, step FROM worker.probes
           WHERE step = $1 AND due_at <= now() AND (taken_until IS NULL OR taken_until < now())
           ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED) AS due
     WHERE p.tenant_id = due.tenant_id AND p.step = due.step
     RETURNING p.tenant_id, p.slug, p.told`,
    [step, atMost, takenMs],
  );
  return rows.map(({ tenant_id, slug, told }) => ({
    tenant: { tenantId: tenant_id, slug, name: told.name } as Tenant,
    tier: told.tier as TierName,
    storage: told.storageType as DueProbe["storage"],
    inputs: told.inputs,
  }));
};

/**
 * Writes what was seen, and when to look again: not all at once, where many were put in together. Where the tenant is
 * looked at no more, there is no row, and nothing is written.
 */
export const putResult = async (
  pool: Pool,
  step: string,
  tenantId: string,
  { healthy, code, reason, facts }: ProbeResult,
  takenMs: number,
): Promise<void> => {
  await pool.query(
    `UPDATE worker.probes SET
       since = CASE WHEN healthy IS DISTINCT FROM $3 OR code IS DISTINCT FROM $4 THEN now() ELSE since END,
       healthy = $3, code = $4, reason = $5, facts = $6, checked_at = now(), taken_until = NULL,
       -- Asked for again after it was taken: then it is due already.
       due_at = CASE WHEN due_at > taken_until - $7 * interval '1 ms' THEN due_at
                ELSE now() + every * (0.9 + 0.2 * random()) END
     WHERE tenant_id = $1 AND step = $2`,
    [tenantId, step, healthy, code, reason, JSON.stringify(facts), takenMs],
  );
};
