/**
 * Gathers what is added in one turn of the event loop and gives it to `take` at once: the batches of one fetch reach
 * their handlers together, and one statement can fence all of their commands. Each adder waits for that.
 */
export const gather = <T>(
  take: (items: readonly T[]) => Promise<void>,
): ((items: readonly T[]) => Promise<void>) => {
  let gathered: T[] = [];
  let taking: Promise<void> | undefined;
  return (items) => {
    gathered.push(...items);
    taking ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      const all = gathered;
      gathered = [];
      taking = undefined;
      return take(all);
    });
    return taking;
  };
};
