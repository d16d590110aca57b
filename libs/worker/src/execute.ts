import type { Reply } from "@deeplens/contracts";
import type { SecretStore, TenantSecrets } from "@deeplens/secrets";
import type { Logger } from "@deeplens/telemetry";
import { createCalls } from "./calls.ts";
import { type Failure, failureOf, hide, publicText } from "./failures.ts";
import type { LedgerStore } from "./ledger-store.ts";
import { lookOf, type Order, undoes } from "./order.ts";
import { partHeld, throwWhereEffectsMayLand } from "./other-processes.ts";
import { compensated, completed, failed, progressed } from "./reply-of.ts";
import {
  FencedError,
  type Operation,
  type OperationCommand,
  PermanentStepError,
  type StepContext,
  type StepHandler,
} from "./step.ts";

/** How a run ended. Only an answer ends the command; a newer command answers for what was overtaken. */
export type Outcome =
  | { readonly kind: "answered"; readonly reply: Reply }
  | { readonly kind: "overtaken" }
  | { readonly kind: "stopped" };

export type AbortReason = "newer" | "stopping";

export interface Run {
  /** Resolves when the handler and all that it started have settled. */
  readonly outcome: Promise<Outcome>;
  abort(reason: AbortReason): void;
}

export interface RunOptions {
  readonly installation: string;
  readonly handler: StepHandler;
  readonly ledger: LedgerStore;
  readonly secrets: SecretStore;
  readonly log: Logger;
  /** Do-commands too wait for the end of earlier processes whose work may still have an effect. */
  readonly alone?: boolean;
  /** Sends a StepProgressed. */
  progress(reply: Reply): void;
  /** Ends the process: a handler did not settle. */
  fatal(error: Error): void;
  /** After how long a run says that it has begun; 250 unless told. */
  readonly startedMs?: number;
  /** How long a call may take unless its step says otherwise; 30,000 unless told. */
  readonly callMs?: number;
  /** How long a handler may take to settle once it was aborted; 30,000 unless told. */
  readonly settleMs?: number;
}

/** Runs a command's handler until it settles; never throws. */
export const execute = (order: Order, options: RunOptions): Run => {
  const { startedMs = 250, settleMs = 30_000, fatal } = options;
  const began = performance.now();
  const deadline = new Date(Date.now() + order.workMs);
  const controller = new AbortController();
  // Made by the first line that is written: most commands write none, and a child's bindings are searched for secrets.
  let child: Logger | undefined;
  const logOf = (): Logger => {
    child ??= options.log.child({ tenant: order.slug, saga: order.sagaId, fence: order.fence });
    return child;
  };
  let aborted: AbortReason | "deadline" | undefined;
  let watchdog: NodeJS.Timeout | undefined;

  const mustSettle = (): void => {
    watchdog ??= setTimeout(
      () =>
        fatal(new Error(`the ${order.part} handler of ${order.slug} did not settle within ${settleMs} ms`)),
      settleMs,
    );
  };
  const abort = (reason: AbortReason | "deadline"): void => {
    if (aborted !== undefined) return;
    aborted = reason;
    controller.abort(new FencedError(abortMessages[reason]));
    mustSettle();
  };
  const overdue = setTimeout(() => abort("deadline"), order.workMs);
  const say = (progress: string, message: string): void =>
    options.progress(progressed(order, new Date(), progress, message));
  let begun = false;
  const sayStarted = (): void => {
    if (!begun) say("started", "");
    begun = true;
  };
  const started = setTimeout(sayStarted, startedMs);

  const seen = new Set<string>();
  const calls = createCalls({ signal: controller.signal, deadline, callMs: options.callMs });
  const look = lookOf(order);
  const scope = {
    ...{ tenantId: order.tenantId, slug: order.slug, step: order.part, fence: order.fence },
    keepsIntents: look === "first",
  };
  const context: StepContext = {
    installation: options.installation,
    step: order.part,
    fence: order.fence,
    get log() {
      return logOf();
    },
    signal: controller.signal,
    ledger: options.ledger.of(scope),
    secrets: watched(options.secrets.of(order.tenantId, scope), seen),
    call: calls.call,
    progress: (message) => {
      sayStarted();
      say("working", publicText(message, seen));
    },
  };

  const fail = (failure: Failure): Outcome => {
    logOf().warn({ ...failure }, undoes(order) ? "the undo failed" : "the step failed");
    return { kind: "answered", reply: failed(order, new Date(), failure) };
  };
  const attempt = async (): Promise<Outcome> => {
    try {
      if (options.alone === true && order.work.kind === "do")
        throwWhereEffectsMayLand(order, await options.ledger.unsettled(scope));
      const reply = await perform(order, options.handler, context, () => ({
        durationMs: performance.now() - began,
        calls: calls.timings,
      }));
      // The last word on what an undone step left: not while something may still come.
      if (look === "last") throwWhereEffectsMayLand(order, await options.ledger.unsettled(scope));
      return aborted === "newer" ? { kind: "overtaken" } : { kind: "answered", reply };
    } catch (error) {
      if (aborted === "newer") return { kind: "overtaken" };
      if (aborted === "stopping") return { kind: "stopped" };
      if (error instanceof PermanentStepError) return fail(failureOf(error, seen));
      if (aborted === "deadline") return fail({ ...failureOf(error, seen), code: "deadline" });
      if (error instanceof FencedError) {
        logOf().info({ reason: error.message }, "overtaken");
        return { kind: "overtaken" };
      }
      return fail(failureOf(error, seen));
    }
  };
  const settle = async (): Promise<Outcome> => {
    const outcome = await attempt();
    clearTimeout(started);
    mustSettle();
    await calls.settled();
    clearTimeout(overdue);
    clearTimeout(watchdog);
    return outcome;
  };
  return { abort, outcome: settle() };
};

const abortMessages = {
  newer: "a newer command came for this part",
  deadline: "the command's deadline has passed",
  stopping: "the worker stops",
} as const;

const perform = async (
  order: Order,
  handler: StepHandler,
  context: StepContext,
  work: () => { durationMs: number; calls: ReturnType<typeof createCalls>["timings"] },
): Promise<Reply> => {
  switch (order.work.kind) {
    case "do": {
      const done = await handler.provision(order.work.command, context);
      return completed(order, new Date(), done, work());
    }
    case "undo": {
      const receipt = await handler.compensate(order.work.command, context);
      return compensated(order, new Date(), receipt, work().durationMs);
    }
    case "operate": {
      const done = await operationOf(handler, order.work.command)(order.work.command, context);
      return completed(order, new Date(), done, work());
    }
    case "unknown":
      return failed(order, new Date(), {
        permanent: true,
        code: "unknown-command",
        message: order.work.message,
        pivot: "unknown",
      });
  }
};

const operationOf = (handler: StepHandler, { operation, tenant }: OperationCommand): Operation => {
  const known = Object.entries(handler.operations ?? {}).find(([name]) => name === operation);
  if (known !== undefined) return known[1];
  throw new PermanentStepError(
    "operation-unknown",
    `this worker does not know the operation ${operation} that was asked of tenant ${tenant.slug}: it is older than the orchestrator; bring it up to date, then retry`,
  );
};

/**
 * What an order is answered that was not begun in time.
 *
 * @param holder the process that had the part all the time, where it was another one
 */
export const expired = (order: Order, now: Date, holder?: string): Reply =>
  failed(order, now, {
    permanent: false,
    code: "expired",
    message: `the ${order.part} step of ${order.slug} was not begun by ${order.expiresAt.toISOString()}${holder === undefined ? "" : `: ${partHeld(order, holder)}`}`,
    pivot: "unknown",
  });

/** What a do-command is answered whose part another process holds beyond its time: it must not run beside that one. */
export const heldBy = (order: Order, now: Date, holder: string | undefined): Reply =>
  failed(order, now, {
    permanent: false,
    code: "part-held",
    message: partHeld(order, holder),
    pivot: "unknown",
  });

// Remembers the values that the handler saw: none of them may stand in what it says of an error.
const watched = (secrets: TenantSecrets, seen: Set<string>): TenantSecrets => {
  const see = (value: string): void => hide(seen, value);
  return {
    async ensure(purpose, make) {
      const stored = await secrets.ensure(purpose, make);
      see(stored.value);
      return stored;
    },
    async renew(purpose, sagaId, make) {
      const stored = await secrets.renew(purpose, sagaId, make);
      see(stored.value);
      return stored;
    },
    async alternate(purpose, sagaId, make) {
      const stored = await secrets.alternate(purpose, sagaId, make);
      see(stored.value);
      return stored;
    },
    async versions(purpose) {
      const stored = await secrets.versions(purpose);
      for (const { value } of stored) see(value);
      return stored;
    },
    removeOlder: (purpose) => secrets.removeOlder(purpose),
    withdraw: (purpose, sagaId) => secrets.withdraw(purpose, sagaId),
    async read(purpose) {
      const value = await secrets.read(purpose);
      if (value !== undefined) see(value);
      return value;
    },
    async offered(reference) {
      const value = await secrets.offered(reference);
      if (value !== undefined) see(value);
      return value;
    },
    async adopt(reference, purpose) {
      const stored = await secrets.adopt(reference, purpose);
      see(stored.value);
      return stored;
    },
    remove: (purpose) => secrets.remove(purpose),
  };
};
