import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "@deeplens/telemetry";

/**
 * Tries until it succeeds: what a process does with a service that is not up yet. Waits 0.5 s, then twice as long
 * each time up to 10 s, and says what it waits for.
 *
 * @throws AbortError when the signal is aborted
 */
export const waitFor = async <T>(
  what: string,
  attempt: () => Promise<T>,
  options: { log: Logger; signal: AbortSignal; canRetry?: (error: unknown) => boolean },
): Promise<T> => {
  for (let waitMs = 500; ; waitMs = Math.min(waitMs * 2, 10_000)) {
    try {
      return await attempt();
    } catch (error) {
      options.signal.throwIfAborted();
      if (options.canRetry?.(error) === false) throw error;
      options.log.warn({ reason: (error as Error).message, waitMs }, `waiting for ${what}`);
      await delay(waitMs, undefined, { signal: options.signal });
    }
  }
};
