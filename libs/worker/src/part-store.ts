import type { RecordName, Slug, TenantId } from "@deeplens/contracts";

/** A reply as it was sent, so that it can be sent again. */
export interface StoredReply {
  readonly record: RecordName;
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** A command that arrived, as the step rows see it. */
export interface Asked {
  readonly slug: Slug;
  readonly tenantId: TenantId;
  readonly fence: number;
  /** It undoes or destroys: its fence is on disk before anything goes. */
  readonly undoes: boolean;
  /** This process has the part's lock already. */
  readonly held: boolean;
  /** How long from now its work will have ended at the latest: the database adds it to its own clock. */
  readonly endsInMs: number;
}

export type Arrival =
  /** A newer command came before; nothing is to be done for this one. */
  | { readonly outcome: "refused" }
  /** It was done before: this is what it was answered. */
  | { readonly outcome: "done"; readonly reply: StoredReply }
  /** It is the newest, and the part is this process's. */
  | { readonly outcome: "locked" }
  /**
   * It is the newest, and another process has the part: with this same command (after a rebalance), or with an older
   * one, which may be overdue by more than the longest call.
   */
  | { readonly outcome: "busy"; readonly sameCommand: boolean; readonly overdue: boolean };

export interface Finished {
  readonly slug: Slug;
  readonly tenantId: TenantId;
  readonly fence: number;
  readonly undoes: boolean;
  /** What it was answered; none where its handler settled without an answer. */
  readonly reply: StoredReply | undefined;
  /** Gives the part's lock back; false while a newer command of this process waits for it, or it never had it. */
  readonly release: boolean;
}

/** The step rows with their locks, as one process sees them. Calls must not overlap. */
export interface PartStore {
  /**
   * Raises the step rows to these commands' fences and tries their locks, in one statement.
   *
   * @param asked at most one command a part, none older than one that this process runs
   */
  arrive(asked: readonly Asked[]): Promise<ReadonlyMap<Slug, Arrival>>;
  /** Writes what was answered (where no newer command came) and gives locks back, in one statement. */
  finish(finished: readonly Finished[]): Promise<void>;
  /** The process that took the part's lock last and has not given it back. */
  holderOf(slug: Slug): Promise<string | undefined>;
  /** Ends the session of whoever has the part's lock. True where there was one. */
  endHolder(slug: Slug): Promise<boolean>;
}
