/** What the machine may see of an event: which step, and what is left to do about it. Everything else stays outside. */
export type MachineEvent =
  | { readonly type: `completed.${string}` }
  /** `retry`: tries are left. `final`: none is, or none can help. `refused`: the pivot says that nothing was done. */
  | { readonly type: `failed.${string}`; readonly outcome: "retry" | "final" | "refused" }
  | { readonly type: `compensated.${string}` }
  | { readonly type: `undoFailed.${string}`; readonly outcome: "retry" | "final" }
  /** No reply came in time, or one that nobody can read. */
  | { readonly type: `deadline.${string}`; readonly outcome: "retry" | "final" }
  | { readonly type: `retryDue.${string}` }
  /** A completion of an older command, of a step that was undone since. */
  | { readonly type: `lateCompleted.${string}` }
  | { readonly type: "settleDue" }
  /** The moment for which the step waited has come. */
  | { readonly type: `elapsed.${string}` }
  /** The name of what was removed need be held no longer. */
  | { readonly type: "releaseDue" }
  /** Goes on without a step that failed for good. */
  | { readonly type: `skip.${string}` }
  | { readonly type: `retry.${string}` }
  | { readonly type: "resume" }
  | { readonly type: "abort" };

/** What the machine asks for. */
export type MachineAction =
  | { readonly type: "command" | "undo" | "look" | "backOff"; readonly step: string }
  | { readonly type: "ready" | "compensating" | "rolledBack" | "stuck" | "settle" | "hold" | "release" }
  /** It was stuck and goes on: forward, or with the second look. */
  | { readonly type: "provisioning" | "confirming" }
  /** An act: it waits for a moment; a system without a call is told by the event at the end. */
  | { readonly type: "wait" | "tell"; readonly step: string }
  /** An act: it was stuck and goes on; it ended; it was taken back; nothing is left of the tenant. */
  | { readonly type: "forward" | "done" | "undone" | "removed" };

/** What the machine knows of a tenant beside its state: small and finite, so that a transition can be memoised. */
export interface Facts {
  /** Steps that the tenant has no use for. */
  readonly leftOut: readonly string[];
}
