import type { Epochs } from "../store/read-batch.ts";

/** Whether the shards of this process are its own still, as far as that was seen lately. */
export interface Tenure {
  /** A transaction that began at that moment (performance.now) committed with these epochs. */
  confirmed(epochs: Epochs, atMs: number): void;
  /** Asks the shard rows only where nothing was confirmed lately. False: nothing may leave this process. */
  holds(): Promise<boolean>;
}

/** For that long a confirmation counts; a send that began by then ends within its request's timeout. */
const freshMs = 5_000;

/**
 * Whoever lost a shard while it was frozen, or cut off, learns it from its next transaction: its sender must not publish
 * what is in its memory before that. In good times every commit confirms, and nothing is asked.
 */
export const createTenure = (options: {
  readonly epochs: () => Epochs;
  /** True while each of these is still its shard's epoch. */
  readonly areHeld: (epochs: Epochs) => Promise<boolean>;
  readonly onLost: (epochs: Epochs) => void;
  readonly nowMs?: () => number;
}): Tenure => {
  const { nowMs = () => performance.now() } = options;
  let last: { readonly epochs: Epochs; readonly atMs: number } | undefined;
  const isFresh = (epochs: Epochs): boolean => last?.epochs === epochs && nowMs() - last.atMs < freshMs;
  return {
    confirmed: (epochs, atMs) => {
      last = { epochs, atMs };
    },
    async holds() {
      for (;;) {
        const epochs = options.epochs();
        if (epochs.size === 0) return false;
        if (isFresh(epochs)) return true;
        const atMs = nowMs();
        if (!(await options.areHeld(epochs))) {
          options.onLost(epochs);
          return false;
        }
        // The answer may have come long after it was true: then the loop asks again.
        last = { epochs, atMs };
      }
    },
  };
};
