import type { ConsumerRunConfig } from "kafkajs";

/** What is known of a consumer from outside: when Kafka last answered it, and whether it is at work. */
export interface Pulse {
  joined(): void;
  heard(): void;
  crashed(error: Error): void;
  /** The same run, with its handler's work under watch: a consumer is silent while it works, and may be. */
  around(config: ConsumerRunConfig): ConsumerRunConfig;
  /** @throws with what is wrong, and for how long */
  check(): void;
  /**
   * Called now and then: the error where nothing was heard for very long although Kafka answered `ask` all the time.
   * An outage, of whatever length, is none.
   */
  lost(ask: () => Promise<void>): Promise<Error | undefined>;
}

// Heartbeats are answered every three seconds.
const silentMs = 10_000;
const longWorkMs = 60_000;
const lostMs = 90_000;
// The client takes a moment to notice that Kafka is back, and a group to come together.
const answersNeeded = 6;

/** Of a consumer that does not run yet. `now` is in ms. */
export const createPulse = (now: () => number = Date.now): Pulse => {
  let state: { readonly is: "starting" | "member" } | { readonly is: "crashed"; readonly error: Error } = {
    is: "starting",
  };
  let heardMs = now();
  let working = 0;
  let workSinceMs = 0;
  let answers = 0;

  const heard = (): void => {
    heardMs = now();
    answers = 0;
  };
  const atWork = async <T>(work: () => Promise<T>): Promise<T> => {
    if (working === 0) workSinceMs = now();
    working += 1;
    try {
      return await work();
    } finally {
      working -= 1;
      heard();
    }
  };
  const since = (ms: number): string => `${Math.round((now() - ms) / 1_000)} s`;

  return {
    heard,
    joined() {
      state = { is: "member" };
      heard();
    },
    crashed(error) {
      state = { is: "crashed", error };
    },
    around: ({ eachBatch, eachMessage, ...config }) => ({
      ...config,
      ...(eachBatch === undefined ? {} : { eachBatch: (payload) => atWork(() => eachBatch(payload)) }),
      ...(eachMessage === undefined ? {} : { eachMessage: (payload) => atWork(() => eachMessage(payload)) }),
    }),
    check() {
      switch (state.is) {
        case "starting":
          throw new Error("not yet a member of its consumer group");
        case "crashed":
          throw new Error(`no answer from Kafka for ${since(heardMs)}: ${state.error.message}`);
        case "member":
          if (working > 0) {
            if (now() - workSinceMs > longWorkMs)
              throw new Error(`the records of one fetch have been under way for ${since(workSinceMs)}`);
          } else if (now() - heardMs > silentMs)
            throw new Error(`no answer from Kafka for ${since(heardMs)}`);
      }
    },
    async lost(ask) {
      if (working > 0 || now() - heardMs < lostMs) return undefined;
      try {
        await ask();
      } catch {
        answers = 0;
        return undefined;
      }
      answers += 1;
      if (answers < answersNeeded) return undefined;
      return new Error(`nothing was heard of the consumer for ${since(heardMs)} although Kafka answers`);
    },
  };
};
