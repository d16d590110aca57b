import type { StepName, TenantId } from "@deeplens/contracts";
import type { Ledger } from "./ledger.ts";

/** The command that a ledger is seen from. */
export interface CommandScope {
  readonly tenantId: TenantId;
  readonly slug: string;
  readonly step: StepName;
  readonly fence: number;
  /**
   * True for the rollback itself: an intent that it finds stays open when its thing is not there, for a call that was
   * given up (a service that hung) may still make it. The second look, after the settle time, closes it.
   */
  readonly keepsIntents?: boolean;
}

/** Every tenant's ledger. */
export interface LedgerStore {
  /** The ledger as one command sees it: its tenant owns what it writes, its fence is checked by each write. */
  of(scope: CommandScope): Ledger;
}
