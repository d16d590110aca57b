import type { ReceiptLine } from "@deeplens/contracts";
import type { LedgerKey, OperationDone, StepDone, StepHandler, Tenant } from "@deeplens/worker";
import {
  type MemoryLedger,
  memoryFences,
  memoryLedger,
  memorySecrets,
  testContext,
} from "@deeplens/worker/testing";
import { operationOf, provisionOf, undoOf } from "./tenants.ts";

/** One tenant's step with its ledger and secrets in memory, each command with the next fence. */
export interface Stage {
  readonly tenant: Tenant;
  readonly ledger: MemoryLedger;
  provision(tier?: "free" | "professional"): Promise<StepDone>;
  compensate(): Promise<readonly ReceiptLine[]>;
  /** `sagaId`: "removal" unless told. */
  act(
    operation: string,
    sagaId?: string,
    parameters?: Record<string, string>,
    inputs?: Record<string, string>,
  ): Promise<OperationDone>;
  /** Writes intents into the ledger, as a process did of which nothing else is known. */
  intend(keys: readonly LedgerKey[]): Promise<void>;
  /** The stored password, or an empty text. */
  secret(purpose: string): Promise<string>;
}

export const stageOf = (handler: StepHandler, tenant: Tenant): Stage => {
  const fences = memoryFences();
  const [ledger, secrets] = [memoryLedger(fences), memorySecrets(fences)];
  let fence = 0;
  const context = () => {
    fence += 1;
    fences.raise({ slug: tenant.slug, step: "database", fence });
    return testContext({ step: "database", tenant, fence, ledger, secrets });
  };
  return {
    tenant,
    ledger,
    provision: (tier) => handler.provision(provisionOf(tenant, tier), context()),
    compensate: () => handler.compensate(undoOf(tenant), context()),
    act: (operation, sagaId = "removal", parameters = {}, inputs = {}) => {
      const run = handler.operations?.[operation];
      if (run === undefined) throw new Error(`no operation ${operation}`);
      return run({ ...operationOf(tenant, operation), sagaId, parameters, inputs }, context());
    },
    intend: async (keys) => {
      const own = ledger.of({ tenantId: tenant.tenantId, slug: tenant.slug, step: "database", fence });
      for (const key of keys) await own.intend(key);
    },
    secret: async (purpose) => (await secrets.of(tenant.tenantId).read(purpose)) ?? "",
  };
};

/** For assert.rejects: a PermanentStepError of that code. */
export const permanently =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof Error && error.name === "PermanentStepError" && "code" in error && error.code === code;
