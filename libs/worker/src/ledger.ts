import type { TenantId } from "@deeplens/contracts";

/** A real thing in a service: what kind (`postgres-database`, `minio-bucket`, `qdrant-container`, ...), and its name there. */
export interface LedgerKey {
  readonly kind: string;
  readonly name: string;
}

export interface LedgerEntry extends LedgerKey {
  readonly owner: TenantId;
  readonly state: "intent" | "made" | "gone";
  /** Facts that a later try needs (the id that another system gave): plain JSON, never a secret. */
  readonly facts: Readonly<Record<string, string>>;
  /** The saga that suspended or is removing its tenant: that one's purge alone may destroy the thing (PROTOCOL.md 17). */
  readonly mark?: string;
  /** How long ago its last intent was committed, in ms, by the database's clock: hosts' clocks may differ. */
  readonly intendedMsAgo: number;
}

/**
 * The record of ownership: one row for each real thing, written before the thing is made. Seen from one command:
 * every write checks the command's fence in the same statement and throws FencedError where a newer one came.
 */
export interface Ledger {
  find(key: LedgerKey): Promise<LedgerEntry | undefined>;
  /**
   * Commits that this tenant is about to make the thing. Repeating is fine; a row `gone` becomes an intent again, for
   * whichever owner asks now. One over an intent that nobody resolved makes the row doubtful: an earlier try was given
   * up, and its effect may land after this one's.
   * @throws PermanentStepError `<kind>-owned-by-other` when another tenant has the row as `intent` or `made`
   */
  intend(key: LedgerKey, facts?: Readonly<Record<string, string>>): Promise<LedgerEntry>;
  /** The thing is there (and ours). */
  made(key: LedgerKey, facts?: Readonly<Record<string, string>>): Promise<void>;
  /** The thing was looked for after its removal, and is not there. */
  gone(key: LedgerKey): Promise<void>;
  /** This tenant's rows of this step that are not `gone`. */
  owned(): Promise<readonly LedgerEntry[]>;
  /** Marks all of them with a saga's id, in place of any mark before; undefined takes the marks away. */
  mark(sagaId: string | undefined): Promise<void>;
}
