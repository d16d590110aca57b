import { createRequire } from "node:module";

/** What is used here of the client's queue of requests to one connection. */
interface Queue {
  readonly pending: readonly unknown[];
  readonly inflight: ReadonlyMap<number, Request>;
  readonly requestTimeout: number;
  readonly enforceRequestTimeout: boolean;
  /** In ms since the epoch; below now where the broker throttles nothing. */
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  requestTimeoutIntervalId: NodeJS.Timeout | undefined;
  isConnected(): boolean;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
  scheduleRequestTimeoutCheck(): void;
  destroy(): void;
}

interface Request {
  readonly sentAt: number;
  readonly requestTimeout: number;
  timeoutRequest(): void;
}

/** The class, from inside the client's package. */
const requestQueue = (): { readonly prototype: Queue } =>
  createRequire(import.meta.url)("kafkajs/src/network/requestQueue/index.js");

const retryMs = 10;
const lookMs = 5_000;

/**
 * Lets a process sleep while its connections do. kafkajs 2.2.4 looks for requests that wait even where none does, from a
 * timer that sets itself again with a time in the past, which Node takes for 1 ms: each connection wakes the process some
 * 900 times a second, as long as it lives (tulios/kafkajs#1704). And ten times a second it looks for answers that are
 * late, by half a minute. Here it does the one only where something waits, and the other every five seconds.
 */
export const quietenRequestQueues = (): void => {
  const { prototype } = requestQueue();
  prototype.scheduleCheckPendingRequests = function (this: Queue): void {
    if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return;
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      Math.max(this.throttledUntil - Date.now(), retryMs),
    );
  };
  prototype.scheduleRequestTimeoutCheck = function (this: Queue): void {
    if (!this.enforceRequestTimeout) return;
    this.destroy();
    this.requestTimeoutIntervalId = setInterval(
      () => {
        for (const request of [...this.inflight.values()])
          if (Date.now() - request.sentAt > request.requestTimeout) request.timeoutRequest();
        if (!this.isConnected()) this.destroy();
      },
      Math.min(this.requestTimeout / 10, lookMs),
    );
  };
};
