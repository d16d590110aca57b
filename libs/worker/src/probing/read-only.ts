import type { TenantSecrets } from "@deeplens/secrets";
import type { Logger } from "@deeplens/telemetry";
import { createCalls } from "../calls.ts";
import { hide } from "../failures.ts";
import type { LedgerStore } from "../ledger-store.ts";
import type { StepContext, Tenant } from "../step.ts";

/**
 * What a probe works with: it may look, and nothing else. Its fence is 0, which no part has, so that no write to the
 * ledger is taken; secrets it can only read. `seen` gets every secret that it read.
 */
export const readOnlyContext = (options: {
  readonly installation: string;
  readonly step: StepContext["step"];
  readonly tenant: Tenant;
  readonly ledger: LedgerStore;
  readonly secrets: TenantSecrets;
  readonly seen: Set<string>;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly deadline: Date;
}): StepContext => {
  const { installation, step, tenant, ledger, log, signal, deadline } = options;
  const fence = 0;
  return {
    ...{ installation, step, fence, log, signal },
    ledger: ledger.of({ tenantId: tenant.tenantId, slug: tenant.slug, step, fence, keepsIntents: true }),
    secrets: reading(options.secrets, options.seen),
    call: createCalls({ signal, deadline }).call,
    progress: () => undefined,
  };
};

const reading = (secrets: TenantSecrets, seen: Set<string>): TenantSecrets => {
  const refuse = (): never => {
    throw new Error("a probe only reads: it makes no secret and removes none");
  };
  return {
    read: async (purpose) => {
      const value = await secrets.read(purpose);
      if (value !== undefined) hide(seen, value);
      return value;
    },
    versions: async (purpose) => {
      const stored = await secrets.versions(purpose);
      for (const { value } of stored) hide(seen, value);
      return stored;
    },
    ensure: refuse,
    offered: refuse,
    adopt: refuse,
    renew: refuse,
    alternate: refuse,
    remove: refuse,
    removeOlder: refuse,
    withdraw: refuse,
  };
};
