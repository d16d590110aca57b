import type {
  ReceiptLine,
  Resource,
  Slug,
  StepName,
  StorageModel,
  TenantId,
  TierName,
} from "@deeplens/contracts";
import type { TenantSecrets } from "@deeplens/secrets";
import type { Logger } from "@deeplens/telemetry";
import type { Ledger } from "./ledger.ts";

/** Whose step it is. */
export interface Tenant {
  readonly tenantId: TenantId;
  readonly slug: Slug;
  readonly name: string;
}

/** Do the step. */
export interface ProvisionCommand {
  readonly tenant: Tenant;
  readonly tier: TierName;
  readonly storage: StorageModel;
  readonly administrator: { readonly email: string; readonly firstName: string; readonly lastName: string };
  /** What completed steps put out, as `<step>.<name>`: `vectors.httpPort`, say. */
  readonly inputs: Readonly<Record<string, string>>;
}

/** What a part is made of that has no use for the rest of the request: an operation knows as much. */
export type PartCommand = Pick<ProvisionCommand, "tenant" | "tier" | "inputs">;

/** Undo the step; `purpose` says whether it is the rollback itself, its second look, or the sweep of open intents. */
export interface UndoCommand {
  readonly tenant: Tenant;
  readonly purpose: "compensate" | "second-look" | "sweep";
  readonly reason: string;
}

/** What a step that was done answers: facts that later steps and readers need (never a secret), and what is there now. */
export interface StepDone {
  readonly outputs: Readonly<Record<string, string>>;
  readonly resources: readonly Resource[];
}

/** Any other act on a part that was made: suspend it, purge it, back it up. */
export interface OperationCommand {
  readonly tenant: Tenant;
  /** The saga that asks: a suspend marks with it, a purge destroys only what bears its own mark. */
  readonly sagaId: string;
  readonly operation: string;
  /** What the operation was told, never a secret. */
  readonly parameters: Readonly<Record<string, string>>;
  /** What completed steps of this saga, and of the provisioning, put out, as `<step>.<name>`. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly tier: TierName;
  readonly storage: StorageModel["type"];
}

/** What an operation answers: as a step that was done, and a line for each thing that it removed, found or proved. */
export interface OperationDone extends StepDone {
  readonly receipt: readonly ReceiptLine[];
}

/** The answer of an operation that made nothing new. */
export const operationDone = (
  receipt: readonly ReceiptLine[],
  outputs: StepDone["outputs"] = {},
): OperationDone => ({ outputs, resources: [], receipt });

/** Converges like a step: it can run again after a crash at any point. */
export type Operation = (command: OperationCommand, context: StepContext) => Promise<OperationDone>;

/** A part's operations by their names; one that is not there is answered `operation-unknown`. */
export type Operations = Readonly<Record<string, Operation>>;

/**
 * A step. Its functions converge: they look at what is there, do what is missing, and can run again after a crash at
 * any point. They throw PermanentStepError where no retry can help, and anything else where one can.
 */
export interface StepHandler {
  provision(command: ProvisionCommand, context: StepContext): Promise<StepDone>;
  /** Gives a line for each resource that it removed or looked for and did not find. */
  compensate(command: UndoCommand, context: StepContext): Promise<readonly ReceiptLine[]>;
  readonly operations?: Operations;
}

/** What a handler works with: all of it belongs to one command, and is fenced by it. */
export interface StepContext {
  readonly installation: string;
  readonly step: StepName;
  /** The command's fence: for writes of the step's own that check it in their statement (PROTOCOL.md 11). */
  readonly fence: number;
  readonly log: Logger;
  /** Aborted by a newer command for the same part, by the deadline, and when the process stops. */
  readonly signal: AbortSignal;
  readonly ledger: Ledger;
  readonly secrets: TenantSecrets;
  /**
   * Runs one call to another system. Every effect goes through here: none starts after the deadline or an abort, each
   * has a timeout (30 s unless told), each is timed and named in the reply.
   */
  call<T>(
    name: string,
    effect: (signal: AbortSignal) => Promise<T>,
    options?: { timeoutMs?: number },
  ): Promise<T>;
  /** Tells the orchestrator, and so the operator, what the step is doing or waiting for. */
  progress(message: string): void;
}

/**
 * A failure that no retry can mend (bad credentials, a name taken by another owner): the saga compensates.
 * `code` is for programs and groups (`bucket-owned-by-other`); `message` says what happened, to which tenant, and what
 * to do. `pivot` is for identity alone: `refused` (the API said 400, nothing was done) or `not-asked` (no intent).
 */
export class PermanentStepError extends Error {
  readonly code: string;
  readonly pivot: "refused" | "not-asked" | "unknown";
  constructor(
    code: string,
    message: string,
    options: { pivot?: "refused" | "not-asked"; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "PermanentStepError";
    this.code = code;
    this.pivot = options.pivot ?? "unknown";
  }
}

/**
 * A pivot failed before it asked for anything, with an error that time may mend (its service is away). Tried again like
 * any other; when no try is left the saga compensates, for nothing was done that can't be undone.
 */
export class NotAskedYetError extends Error {
  constructor(message: string, options: { cause: unknown }) {
    super(message, options);
    this.name = "NotAskedYetError";
  }
}

export { DropOffError, FencedError, type StoredSecret } from "@deeplens/secrets";
