import { type Operation, PermanentStepError } from "@deeplens/worker";

/**
 * Runs works at once and waits for all of them, also when one fails: nothing of a step goes on after it has failed.
 *
 * @throws what the works threw; a PermanentStepError before any other, because it decides what becomes of the saga
 */
export const together = async <T>(works: readonly (() => Promise<T>)[]): Promise<T[]> => {
  const results = await Promise.allSettled(works.map((work) => work()));
  const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  if (failures.length > 0)
    throw failures.find((reason) => reason instanceof PermanentStepError) ?? failures[0];
  return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
};

/** An operation of several systems as one: all of them at once, and what each of them answers. */
export const operationTogether =
  (operations: readonly Operation[]): Operation =>
  async (command, context) => {
    const done = await together(operations.map((operation) => () => operation(command, context)));
    return {
      outputs: Object.assign({}, ...done.map(({ outputs }) => outputs)),
      resources: done.flatMap(({ resources }) => resources),
      receipt: done.flatMap(({ receipt }) => receipt),
    };
  };
