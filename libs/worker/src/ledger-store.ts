import type { StepName, TenantId } from "@deeplens/contracts";
import type { Ledger } from "./ledger.ts";

/** The command that a ledger is seen from. */
export interface CommandScope {
  readonly tenantId: TenantId;
  readonly slug: string;
  readonly step: StepName;
  readonly fence: number;
  /**
   * True for the rollback itself: an intent that it finds, and a doubtful row, stay open when their thing is not there,
   * for a call that was given up (a service that hung) may still make it. The second look, after the settle time, closes
   * them.
   */
  readonly keepsIntents?: boolean;
}

/** A process whose work on a part may still have an effect. */
export interface Unsettled {
  readonly process: string;
  /**
   * `alive`: its own lock is held. `lost`: it was there when the database's sessions were lost, and has not said since
   * that it ended; it counts as ended from `until` on, once another process noticed.
   */
  readonly state: "alive" | "lost";
  readonly until: Date | undefined;
}

/** Every tenant's ledger. */
export interface LedgerStore {
  /** The ledger as one command sees it: its tenant owns what it writes, its fence is checked by each write. */
  of(scope: CommandScope): Ledger;
  /** Processes that never said that their handler settled, may live, and meant to make something that is still open. */
  unsettled(scope: CommandScope): Promise<readonly Unsettled[]>;
}
