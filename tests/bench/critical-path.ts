import type { SagaTable } from "@deeplens/saga-orchestrator/saga-kind";

/**
 * How long a saga takes at least: the slowest chain of its steps' own work along `after`, in the unit of the durations.
 * A step without a duration was left out, and takes no time.
 */
export const criticalPath = (table: SagaTable, durations: Readonly<Record<string, number>>): number => {
  const ends = new Map<string, number>();
  for (const { step, after } of table) {
    const begin = Math.max(0, ...after.map((earlier) => ends.get(earlier) ?? 0));
    ends.set(step, begin + (durations[step] ?? 0));
  }
  return Math.max(0, ...ends.values());
};
