import type { CallTiming } from "@deeplens/contracts";
import { FencedError } from "@deeplens/secrets";
import type { StepContext } from "./step.ts";

/** How long one call to another system may take unless its step says otherwise. */
export const defaultCallMs = 30_000;

export interface Calls {
  readonly call: StepContext["call"];
  readonly timings: readonly CallTiming[];
  /** Resolves when no effect is under way any more, those included whose call was given up. */
  settled(): Promise<void>;
}

/**
 * Runs a command's calls. A call that times out or is aborted rejects at once, but its effect may go on: `settled`
 * waits for it, so that nothing else touches the part before.
 */
export const createCalls = (options: {
  signal: AbortSignal;
  deadline: Date;
  /** How long a call may take unless its step says otherwise. */
  callMs?: number | undefined;
  now?: () => number;
  /** Called with the call's name when its effect is done and before its caller knows. */
  onDone?: (name: string) => void;
}): Calls => {
  const { now = Date.now, callMs = defaultCallMs } = options;
  const timings: CallTiming[] = [];
  const underWay = new Set<Promise<unknown>>();

  const call: StepContext["call"] = async (name, effect, { timeoutMs = callMs } = {}) => {
    mayStart(name, options.signal, options.deadline, now());
    const own = new AbortController();
    const give = (reason: unknown): void => own.abort(reason);
    const onAbort = (): void => give(options.signal.reason);
    options.signal.addEventListener("abort", onAbort, { once: true });
    const timer = setTimeout(() => give(new CallTimeoutError(name, timeoutMs)), timeoutMs);
    const began = now();
    const running = Promise.resolve()
      .then(() => effect(own.signal))
      .finally(() => underWay.delete(running));
    underWay.add(running);
    try {
      const result = await orAborted(running, own.signal);
      options.onDone?.(name);
      return result;
    } finally {
      clearTimeout(timer);
      options.signal.removeEventListener("abort", onAbort);
      timings.push({ name, durationMs: now() - began });
    }
  };
  return { call, timings, settled: async () => void (await Promise.allSettled(underWay)) };
};

/** A call to another system did not answer in time; a retry may help. */
export class CallTimeoutError extends Error {
  readonly code = "timeout";
  constructor(name: string, timeoutMs: number) {
    super(`${name}: no answer within ${timeoutMs} ms`);
    this.name = "CallTimeoutError";
  }
}

const mayStart = (name: string, signal: AbortSignal, deadline: Date, now: number): void => {
  if (signal.aborted) throw new FencedError(`${name} was not started: ${reasonOf(signal)}`);
  if (now >= deadline.getTime())
    throw new FencedError(`${name} was not started: the command's deadline has passed`);
};

const reasonOf = (signal: AbortSignal): string =>
  signal.reason instanceof Error ? signal.reason.message : String(signal.reason);

const orAborted = <T>(running: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    running.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
