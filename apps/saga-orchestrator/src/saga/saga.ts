import type {
  CallTiming,
  ReceiptLine,
  Resource,
  RotatedPart,
  Slug,
  TenantId,
  TenantSpec,
} from "@deeplens/contracts";
import type { MachineState } from "../machine/advance.ts";
import type { Facts } from "../machine/events.ts";

/** `waiting`: for a moment that may be days away. `removed`: nothing is left, the name is still held. */
export type SagaStatus =
  | "running"
  | "compensating"
  | "waiting"
  | "stuck"
  | "rolled-back"
  | "removed"
  | FinalStatus;
/** Nothing comes of it any more by itself. `closed`: and the name is free. */
export type FinalStatus = (typeof finalStatuses)[number];
export const finalStatuses = ["ready", "done", "undone", "closed"] as const;
export const isFinal = (status: SagaStatus): status is FinalStatus =>
  (finalStatuses as readonly string[]).includes(status);

export type TenantState =
  | "provisioning"
  | "ready"
  | "compensating"
  | "rolled-back"
  | "stuck"
  | "suspended"
  | "removing"
  | "removed";

/** What kind of work a command asks for. */
export type Work = "do" | "undo" | "look";

export interface StepError {
  readonly code: string;
  readonly message: string;
}

/** All that is known of a step of a saga beside its state in the machine. */
export interface StepRecord {
  /** The newest command's; only a reply that bears it moves the saga. */
  fence: number;
  attempts: Record<Work, number>;
  outputs?: Readonly<Record<string, string>>;
  resources?: readonly Resource[];
  receipt?: readonly ReceiptLine[];
  error?: StepError;
  /** The last thing that the worker said of its work. */
  progress?: string;
  commandedAt?: string;
  startedAt?: string;
  finishedAt?: string;
  durationMs?: number;
  calls?: readonly CallTiming[];
}

/** One timer a step at most, and one (`settle`, `release`) for the saga; it bears the fence of the command that it watches. */
export interface Timer {
  readonly kind: "deadline" | "backOff" | "settle" | "wait" | "release";
  readonly dueMs: number;
  readonly fence: number;
}

export const settleTimer = "settle";
/** Until when the name of what was removed is held. */
export const releaseTimer = "release";

/** What a saga was asked for: a tenant, or an act on one. */
export type SagaRequest =
  | {
      readonly source: string;
      readonly requestId: string;
      readonly spec: TenantSpec;
      readonly act?: undefined;
      /** The id in Identity that the removal of the name's last tenant left there (PROTOCOL.md 19). */
      readonly leftInIdentity?: string;
    }
  | {
      readonly source: string;
      readonly requestId: string;
      readonly spec: Pick<TenantSpec, "name" | "slug"> & {
        readonly tier: string;
        readonly storage: { readonly type: string };
      };
      readonly act: ActTold;
    };

/** What an act was told. */
export interface ActTold {
  readonly by: string;
  readonly reason: string;
  /** The moment for which it waits: ISO 8601, removals alone. */
  readonly purgeAt?: string;
  /** restore-backup: which one, and what of it. restore-back: the safety backup of what it takes back. */
  readonly restore?: { readonly backup: string; readonly parts: "all" | "database" | "vectors" };
  /** tier: the one to give, and the one to go back to. */
  readonly tier?: { readonly from: string; readonly to: string };
  /** replace-credentials: where the new ones were dropped off. */
  readonly credentialRef?: string;
  readonly rotation?: RotationTold;
}

/** rotate: of what; and for how long old and new ones are good together, from when on. */
export interface RotationTold {
  readonly parts: readonly RotatedPart[];
  readonly overlapMs: number;
  /** ISO 8601; since then they are. */
  readonly beganAt?: string;
}

export interface Saga {
  readonly sagaId: string;
  readonly tenantId: TenantId;
  readonly slug: Slug;
  readonly shard: number;
  readonly kind: string;
  status: SagaStatus;
  machineVersion: number;
  /** The version that was read; the write makes it one more. 0: not stored yet. */
  readonly version: number;
  state: MachineState;
  readonly facts: Facts;
  steps: Record<string, StepRecord>;
  timers: Record<string, Timer>;
  error?: StepError & { readonly step: string };
  request: SagaRequest;
  readonly createdAt: string;
  finishedAt?: string;
}

/** What was done to a tenant since it was made, beside its state. */
export interface TenantActs {
  /** The saga that changes it now: one at a time. */
  readonly running?: { readonly sagaId: string; readonly kind: string; readonly from: TenantState };
  readonly suspension?: { readonly sagaId: string; readonly reason: string; readonly since: string };
  readonly removal?: {
    readonly sagaId: string;
    readonly purgeAt: string;
    readonly slugHeldUntil?: string;
  };
  /** What was live before the last restore, or the last switch back: kept aside until then. */
  readonly replaced?: Replaced;
  /** While old and new credentials are good together: those of what, and until when. */
  readonly rotation?: {
    readonly sagaId: string;
    readonly parts: readonly RotatedPart[];
    readonly oldUntil: string;
  };
  /** The id in Identity that a removal left there, of this tenant or of the name's last one. */
  readonly leftInIdentity?: string;
  /** Since when it does not work as it should, and what of it. */
  readonly degraded?: { readonly since: string; readonly parts: IllParts };
}

/** What a restore put aside: its database beside the live one, its vectors in the safety backup. */
export interface Replaced {
  /** The saga that replaced it, and the backup that was restored or, switching back, the one that was live before. */
  readonly sagaId: string;
  readonly backup: string;
  readonly parts: "all" | "database" | "vectors";
  readonly safetyBackup: string;
  readonly at: string;
  /** From then on it is dropped. */
  readonly until: string;
}

/** What was seen of the parts that are ill, by their names. */
export type IllParts = Readonly<Record<string, StepError>>;

export interface Tenant {
  readonly tenantId: TenantId;
  readonly slug: string;
  readonly shard: number;
  readonly name: string;
  state: TenantState;
  revision: number;
  tier: string;
  readonly storageType: string;
  resources: Record<string, string>;
  acts: TenantActs;
  readonly source: string;
  readonly requestId: string;
  readonly createdAt: string;
}

/** Who has a slug. Its fence grows with every command of any saga for it, and never starts again (hybrid-clock.ts). */
export interface Reservation {
  readonly slug: string;
  readonly tenantId: TenantId;
  readonly sagaId: string;
  fence: number;
  released: boolean;
}

export interface RememberedRequest {
  readonly source: string;
  readonly requestId: string;
  readonly payloadHash: string;
  readonly tenantId: TenantId;
  readonly sagaId: string | null;
  readonly rejection: StepError | null;
}

/** Where the saga as a whole is going, as an operator names it. */
export const statusOf = (state: MachineState): SagaStatus => {
  switch (state.course) {
    case "forward":
      return Object.values(state).includes("waiting") ? "waiting" : "running";
    case "settling":
    case "verifying":
      return "running";
    case "done":
      return "done";
    case "undone":
      return "undone";
    case "removed":
      return "removed";
    case "draining":
    case "compensating":
      return "compensating";
    case "rolledBack":
    case "confirming":
      return "rolled-back";
    case "closed":
      return "closed";
    case "ready":
      return "ready";
    case "stuckForward":
    case "stuckUndo":
    case "stuckLook":
      return "stuck";
    default:
      throw new Error(`a saga can't be on course ${state.course}`);
  }
};

/** What the newest command of a step in this state asked for. */
export const workOf = (state = ""): Work => {
  if (state.startsWith("undo")) return "undo";
  return state.startsWith("look") || state === "confirmed" ? "look" : "do";
};

/** The earliest of its timers, in ms since the epoch; null where it has none. */
export const nextDueMs = (saga: Saga): number | null => {
  const due = Object.values(saga.timers).map((timer) => timer.dueMs);
  return due.length === 0 ? null : Math.min(...due);
};

/** The step's record; every step of the table has one from the start. */
export const stepOf = (saga: Saga, step: string): StepRecord => {
  const found = saga.steps[step];
  if (found === undefined) throw new Error(`saga ${saga.sagaId} has no step ${step}`);
  return found;
};

/** What completed steps put out, as `<step>.<name>`. */
export const outputsOf = (saga: Saga): Record<string, string> =>
  Object.fromEntries(
    Object.entries(saga.steps).flatMap(([step, { outputs }]) =>
      Object.entries(outputs ?? {}).map(([name, value]) => [`${step}.${name}`, value]),
    ),
  );
