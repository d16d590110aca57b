export interface Wake {
  now(): void;
  /** Resolves when woken, or after that time; at once where it was woken since the last wait. */
  wait(ms: number): Promise<void>;
}

/** What a loop sleeps on between its rounds. */
export const createWake = (): Wake => {
  let woken = false;
  let wakeUp: (() => void) | undefined;
  return {
    now: () => {
      woken = true;
      wakeUp?.();
    },
    wait: async (ms) => {
      if (!woken) {
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          wakeUp = resolve;
          timer = setTimeout(resolve, ms);
        });
        clearTimeout(timer);
        wakeUp = undefined;
      }
      woken = false;
    },
  };
};
