import { createRequire } from "node:module";

/** What is used here of the client's queue of requests to one connection. */
interface Queue {
  readonly pending: readonly unknown[];
  /** In ms since the epoch; below now where the broker throttles nothing. */
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

const retryMs = 10;

/** The class, from inside the client's package. */
const requestQueue = (): { readonly prototype: Queue } =>
  createRequire(import.meta.url)("kafkajs/src/network/requestQueue/index.js");

/**
 * kafkajs 2.2.4 looks for requests that wait even where none does, from a timer that sets itself again with a time in
 * the past, which Node takes for 1 ms: each connection wakes the process about 900 times a second for nothing, as long as
 * it lives (tulios/kafkajs#1704). This is the same, only where something waits.
 */
export const sleepWhileNothingWaits = (): void => {
  requestQueue().prototype.scheduleCheckPendingRequests = function (this: Queue): void {
    if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return;
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      Math.max(this.throttledUntil - Date.now(), retryMs),
    );
  };
};
