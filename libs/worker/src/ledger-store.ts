import type { StepName, TenantId } from "@deeplens/contracts";
import type { Ledger } from "./ledger.ts";

/** The command that a ledger is seen from. */
export interface CommandScope {
  readonly tenantId: TenantId;
  readonly slug: string;
  readonly step: StepName;
  readonly fence: number;
}

/** Every tenant's ledger. */
export interface LedgerStore {
  /** The ledger as one command sees it: its tenant owns what it writes, its fence is checked by each write. */
  of(scope: CommandScope): Ledger;
}
