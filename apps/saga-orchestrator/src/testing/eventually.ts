import { setTimeout as delay } from "node:timers/promises";

const settledMs = 20_000;

/** Tries until it holds, and gives what it gave; its last failure where it does not in 20 s. */
export const eventually = async <T>(holds: () => Promise<T> | T, withinMs = settledMs): Promise<T> => {
  const endMs = Date.now() + withinMs;
  for (;;) {
    try {
      return await holds();
    } catch (error) {
      if (Date.now() > endMs) throw error;
      await delay(100);
    }
  }
};
