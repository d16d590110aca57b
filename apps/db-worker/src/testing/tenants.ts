import { randomBytes } from "node:crypto";
import { slugFrom, type TierName, tenantIdOf } from "@deeplens/contracts";
import type { OperationCommand, ProvisionCommand, Tenant, UndoCommand } from "@deeplens/worker";

/** A tenant that no other test has: `dbw-<hint>-<random>`. */
export const freshTenant = (hint: string): Tenant => {
  const slug = slugFrom(`dbw-${hint}-${randomBytes(4).toString("hex")}`);
  return { tenantId: tenantIdOf("db-worker-tests", slug), slug, name: slug };
};

export const provisionOf = (tenant: Tenant, tier: TierName = "free"): ProvisionCommand => ({
  tenant,
  tier,
  storage: { type: "deeplens" },
  administrator: { email: "ada@example.com", firstName: "Ada", lastName: "Lovelace" },
  inputs: {},
});

export const undoOf = (tenant: Tenant): UndoCommand => ({ tenant, purpose: "compensate", reason: "a test" });

export const operationOf = (tenant: Tenant, operation: string): OperationCommand => ({
  ...{ tenant, operation, sagaId: "removal", parameters: {}, inputs: {} },
  ...{ tier: "free", storage: "deeplens" },
});
