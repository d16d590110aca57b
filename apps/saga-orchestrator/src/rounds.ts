import { pause } from "@deeplens/service";

export interface Rounds {
  /** Resolves when the round that runs is over; there is none after it. */
  stop(): Promise<void>;
}

/** Does the same again and again, with a pause after each; one that fails is told, and nothing else. */
export const startRounds = (
  pauseMs: number,
  round: () => Promise<unknown>,
  onError: (error: Error) => void,
): Rounds => {
  const ending = new AbortController();
  const running = (async () => {
    while (!ending.signal.aborted) {
      await round().catch(onError);
      await pause(pauseMs, ending.signal);
    }
  })();
  return {
    stop: () => {
      ending.abort();
      return running;
    },
  };
};
