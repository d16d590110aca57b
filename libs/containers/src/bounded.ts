import type { CallOptions } from "./engine.ts";
import { ContainerError, toContainerError } from "./errors.ts";

const defaultTimeoutMs = 30_000;

/** Runs one call to the engine with a name (for its errors), a timeout and the caller's signal. */
export type Bounded = <T>(
  what: string,
  call: CallOptions | undefined,
  effect: (signal: AbortSignal) => Promise<T>,
) => Promise<T>;

/** What bounds every call to the engine at that address. */
export const boundedCalls =
  (engine: string): Bounded =>
  async (what, call, effect) => {
    const timeoutMs = call?.timeoutMs ?? defaultTimeoutMs;
    call?.signal?.throwIfAborted();
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = call?.signal === undefined ? timeout : AbortSignal.any([call.signal, timeout]);
    // Not every call of the client listens to a signal, so the race ends the wait in any case.
    let onAbort = (): void => {};
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      return await Promise.race([effect(signal), aborted]);
    } catch (error) {
      if (call?.signal?.aborted) throw call.signal.reason;
      if (timeout.aborted)
        throw new ContainerError(
          "engine-timeout",
          `${what}: the container engine at ${engine} did not answer within ${timeoutMs} ms`,
          { cause: error },
        );
      throw toContainerError(what, engine, error);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  };
