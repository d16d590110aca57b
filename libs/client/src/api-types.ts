import type { StorageWish } from "@deeplens/contracts";

// What the orchestrator's HTTP API answers; /openapi.json of an orchestrator has the same with every rule.

export interface TenantRequest {
  readonly name: string;
  /** free, professional or enterprise */
  readonly tier: string;
  readonly storage: StorageWish;
  readonly administrator: { readonly email: string; readonly firstName: string; readonly lastName: string };
}

export interface Accepted {
  readonly tenantId: string;
  readonly slug: string;
  /** Null while the request waits in the inbox. */
  readonly sagaId: string | null;
  readonly status: string;
  readonly repeated: boolean;
  readonly inboxId: number;
}

export interface Tenant {
  readonly tenantId: string;
  readonly slug: string;
  readonly name: string;
  /** provisioning, ready, compensating, rolled-back, stuck, suspended, removing or removed */
  readonly state: string;
  readonly revision: number;
  readonly tier: string;
  readonly limits: {
    readonly storageBytes: number;
    readonly users: number;
    readonly apiCallsPerDay: number;
  } | null;
  readonly storageType: string;
  readonly resources: Readonly<Record<string, string>>;
  /** Why a ready tenant does not work as it should, and since when; null where it does. */
  readonly degraded: { readonly since: string; readonly reason: string } | null;
  readonly sagaId: string | null;
  /** The act that changes it now. */
  readonly running: { readonly sagaId: string; readonly kind: string } | null;
  readonly suspended: { readonly since: string; readonly reason: string } | null;
  /** While old and new credentials are good together: those of what, and until when the old ones are. */
  readonly rotation: {
    readonly sagaId: string;
    readonly parts: readonly string[];
    readonly oldUntil: string;
  } | null;
  readonly removal: {
    readonly sagaId: string;
    /** Until then it can be restored. */
    readonly purgeAt: string;
    /** When its name is free again; null while it is not removed. */
    readonly slugHeldUntil: string | null;
  } | null;
  /** What the last restore (or switch back) replaced, while it is kept. */
  readonly replaced: {
    readonly sagaId: string;
    readonly backup: string;
    readonly parts: "all" | "database" | "vectors";
    /** The backup of what was live before. */
    readonly safetyBackup: string;
    readonly at: string;
    /** Until then `restore-back` switches back to it. */
    readonly until: string;
  } | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** An act on a tenant that was made. */
export type TenantActName =
  | "suspend"
  | "resume"
  | "remove"
  | "restore"
  | "purge"
  | "grace"
  | "release"
  | "rotate"
  | "end-rotation"
  | "overlap"
  | "backup"
  | "drill"
  | "backups"
  | "restore-backup"
  | "tier"
  | "migrate"
  | "restore-back"
  | "restore-end"
  | "replace-credentials"
  | "repair";

/** What else an act is told. */
export interface TenantActTold {
  readonly tenantId: string;
  readonly reason: string;
  readonly graceMs?: number;
  /** rotate: the credentials of what; of every part where it is left out. */
  readonly parts?: readonly string[];
  /** rotate and overlap: how long old and new credentials are good together. */
  readonly overlapMs?: number;
  readonly restore?: { readonly backup: string; readonly parts: "all" | "database" | "vectors" };
  /** tier: free, professional or enterprise */
  readonly tier?: string;
  /** replace-credentials: what `dropOff` gave. */
  readonly credentialRef?: string;
}

/** An act of which a plan can be had. */
export type PlannedActName = Exclude<TenantActName, "backup" | "drill" | "backups">;

interface Remark {
  readonly code: string;
  readonly message: string;
}

interface Thing {
  readonly part: string;
  readonly kind: string;
  readonly name: string;
}

/** What an act would do; nothing was done. */
export interface Plan {
  /** The act's, or `create`. */
  readonly act: string;
  readonly slug: string;
  readonly tenantId: string;
  readonly title: string;
  /** It is so, or becomes so, already: nothing would be begun. */
  readonly already: boolean;
  /** Why it would be refused, as far as that is known. */
  readonly refusals: readonly Remark[];
  /** What would break, or can't be told. */
  readonly warnings: readonly Remark[];
  /** What would be done, in its order. */
  readonly does: readonly string[];
  readonly makes: readonly Thing[];
  readonly goes: readonly Thing[];
  /** What the tenant uses now, where the act depends on it. */
  readonly use: readonly {
    readonly thing: string;
    readonly measure: "bytes" | "memory-bytes" | "connections";
    readonly value: number;
    readonly limit: number | null;
  }[];
  /** The steps of the saga that would begin. */
  readonly steps: readonly string[];
  /** The command that takes it back; null: nothing does. */
  readonly wayBack: string | null;
}

export interface TenantActAnswer {
  readonly inboxId: number;
  readonly slug: string;
  readonly tenantId: string;
  /** Null while the act waits in the inbox. */
  readonly sagaId: string | null;
  /** The saga's; or the tenant's, where it was so already. */
  readonly status: string;
  readonly repeated: boolean;
}

export interface SagaError {
  readonly step: string | null;
  readonly code: string;
  readonly message: string;
}

export interface SagaSummary {
  readonly sagaId: string;
  readonly tenantId: string;
  readonly slug: string;
  readonly kind: string;
  /** running, compensating, waiting, stuck, ready, done, undone, rolled-back, removed or closed */
  readonly status: string;
  readonly error: SagaError | null;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly finishedAt: string | null;
}

export type StepPhase =
  | "waiting"
  | "working"
  | "retrying"
  | "done"
  | "failed"
  | "undoing"
  | "undone"
  | "untouched"
  | "skipped";

export interface ReceiptLine {
  readonly kind: string;
  readonly name: string;
  /** removed, absent, foreign, not-asked, kept, or what an operation proved */
  readonly outcome: string;
}

export interface SagaStep {
  readonly step: string;
  readonly state: string;
  readonly phase: StepPhase;
  /** Tries up to now of what it is at: its work, its undo, the last look. */
  readonly attempts: number;
  /** With so many tries it has failed for good. */
  readonly attemptsAtMost: number;
  /** When it is tried again; null while it waits for no next try. */
  readonly nextTryAt: string | null;
  readonly fence: number;
  readonly commandedAt: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly durationMs: number | null;
  readonly progress: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly resources: readonly { readonly kind: string; readonly name: string }[];
  readonly receipt: readonly ReceiptLine[];
}

export interface Saga extends SagaSummary {
  readonly name: string;
  readonly requestId: string;
  readonly source: string;
  readonly machineVersion: number;
  readonly version: number;
  readonly course: string;
  readonly steps: readonly SagaStep[];
  readonly waitingFor: readonly {
    readonly timer: string;
    readonly step: string | null;
    readonly what: string;
    readonly until: string;
  }[];
}

export interface HistoryEntry {
  readonly id: number;
  readonly at: string;
  readonly event: string;
  readonly step: string | null;
  readonly fence: number | null;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface ActAnswer {
  readonly inboxId: number;
  readonly sagaId: string;
  readonly tenantId: string;
  /** The saga's status after the act; `waiting` while it was not applied. */
  readonly status: string;
}

export interface ShardPartition {
  /** The next offset to be applied; null where none ever was. */
  readonly next: number | null;
  /** Why it is read no more; null while it is. */
  readonly stopped: string | null;
}

/** The versions of the master key; `known` is false where secrets are under one whose line is missing. */
export interface Keys {
  readonly current: string;
  readonly versions: readonly {
    readonly version: string;
    readonly known: boolean;
    readonly secrets: number;
  }[];
}

export interface Rewrapped {
  readonly current: string;
  readonly moved: number;
  readonly left: number;
}

/** What was seen of a tenant's parts with its own credentials. */
export interface TenantHealth {
  readonly tenantId: string;
  readonly slug: string;
  readonly state: string;
  readonly status: "well" | "degraded" | "unknown";
  readonly parts: readonly PartHealth[];
}

export interface PartHealth {
  readonly part: string;
  /** `unknown`: its worker has not looked. */
  readonly status: "well" | "ill" | "unknown";
  readonly checkedAt: string | null;
  /** For how long it has been as it is. */
  readonly since: string | null;
  readonly code: string | null;
  readonly reason: string | null;
  /** Of each thing: `redis.ok`, `redis.latencyMs`, `redis.version`. */
  readonly facts: Readonly<Record<string, string>>;
}

export interface Shard {
  readonly shard: number;
  readonly requests: ShardPartition;
  readonly replies: ShardPartition;
}

export interface ShardAct {
  readonly stream: "requests" | "replies";
  /** From where a stopped partition is read on. */
  readonly from: "beginning" | "end";
}

export interface ShardAccepted extends ShardAct {
  readonly inboxId: number;
  readonly shard: number;
  /** The offset from which it is read on; null while the act waits. */
  readonly next: number | null;
}

export interface InboxEntry {
  readonly inboxId: number;
  readonly kind: string;
  readonly createdAt: string;
  readonly doneAt: string | null;
  readonly result: Readonly<Record<string, unknown>> | null;
}

export interface DroppedOff {
  /** For a request's `storage.credentialRef`; one tenant can use it. */
  readonly reference: string;
  readonly provider: string;
  /** Then it is forgotten, unless a tenant uses it. */
  readonly expiresAt: string;
}

export interface Credentials {
  readonly tenantId: string;
  readonly slug: string;
  readonly name: string;
  readonly resources: Readonly<Record<string, string>>;
  /** By what each is for. */
  readonly secrets: Readonly<Record<string, string>>;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly next: string | null;
}

/** What the event stream of a saga says. */
export type SagaEvent =
  | { readonly type: "history"; readonly entry: HistoryEntry }
  | { readonly type: "saga"; readonly saga: Saga }
  | { readonly type: "end"; readonly status: string };
