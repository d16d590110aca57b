import { setTimeout as delay } from "node:timers/promises";

/** Waits so long, in ms, or until the signal is aborted: a wait that is cut short is no error. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  delay(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
