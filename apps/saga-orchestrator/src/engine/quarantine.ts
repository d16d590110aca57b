import type { Logger } from "@deeplens/telemetry";
import type { Input } from "./inputs.ts";

export interface Quarantine {
  /** True while inputs are applied one by one, to find the one that can't be. */
  isolating(): boolean;
  /** The input itself; where it was found to be the culprit, its dead letter, or the act with its refusal. */
  admit(input: Input): Input;
  /** Without those that failed lately. */
  due(inputs: readonly Input[]): Input[];
  failed(inputs: readonly Input[], error: unknown): void;
  passed(): void;
}

const mutedMs = 60_000;
const triesAlone = 3;
const passesBeforeWhole = 50;

/**
 * Keeps one input that can't be written from stopping a shard: after a failure that no retry mends inputs are applied
 * one by one; a record that fails alone three times becomes a dead letter, an act is answered with the error, and a
 * timer is left alone for a minute at a time.
 */
export const createQuarantine = (log: Logger): Quarantine => {
  const culprits = new Map<string, string>();
  const tries = new Map<string, number>();
  const muted = new Map<string, number>();
  let alone = 0;

  const admit = (input: Input): Input => {
    const reason = culprits.get(keyOf(input));
    if (reason === undefined) return input;
    if (input.from === "inbox")
      return { ...input, refusal: { ok: false, code: "not-applicable", message: reason } };
    if (input.from !== "kafka") return input;
    const { content } = input;
    if (content.kind === "unreadable") return input;
    return {
      ...input,
      content: { kind: "unreadable", code: "not-applicable", message: reason, raw: content.raw },
    };
  };

  return {
    isolating: () => alone > 0,
    admit,
    due: (inputs) => {
      const now = Date.now();
      for (const [key, until] of muted) if (until <= now) muted.delete(key);
      const free = inputs.filter((input) => !muted.has(keyOf(input)));
      return (alone > 0 ? free.slice(0, 1) : free).map(admit);
    },
    failed: (inputs, error) => {
      const reason = (error as Error).message;
      alone = passesBeforeWhole;
      const [only] = inputs;
      if (inputs.length !== 1 || only === undefined) {
        log.error({ err: error, inputs: inputs.length }, "a batch can't be applied; going on one by one");
        return;
      }
      const key = keyOf(only);
      const count = (tries.get(key) ?? 0) + 1;
      tries.set(key, count);
      log.error({ err: error, input: key, count }, "an input can't be applied");
      if (count < triesAlone) return;
      tries.delete(key);
      if (only.from === "kafka" || only.from === "inbox") culprits.set(key, reason);
      else muted.set(key, Date.now() + mutedMs);
    },
    passed: () => {
      if (alone > 0) alone -= 1;
      if (alone > 0) return;
      culprits.clear();
      tries.clear();
    },
  };
};

const keyOf = (input: Input): string => {
  switch (input.from) {
    case "kafka":
      return `${input.stream}/${input.shard}/${input.offset}`;
    case "inbox":
      return `inbox/${input.id}`;
    default:
      return `${input.from}/${input.sagaId}`;
  }
};
