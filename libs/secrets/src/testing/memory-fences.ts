import { FencedError } from "../fenced-error.ts";
import type { FenceCheck } from "../secret-store.ts";

/** The step rows of a test: which fence each part has. */
export interface MemoryFences {
  /** A command with this fence arrived. */
  raise(check: FenceCheck): void;
  /** @throws FencedError when the part has a newer fence */
  hold(check: FenceCheck | undefined): void;
}

/** Fences in memory; a part that none was raised for takes any. */
export const memoryFences = (): MemoryFences => {
  const newest = new Map<string, number>();
  const keyOf = (check: FenceCheck): string => `${check.slug}/${check.step}`;
  const fenceOf = (check: FenceCheck): number => newest.get(keyOf(check)) ?? 0;
  return {
    raise: (check) => {
      newest.set(keyOf(check), Math.max(fenceOf(check), check.fence));
    },
    hold: (check) => {
      if (check !== undefined && fenceOf(check) > check.fence)
        throw new FencedError(`${keyOf(check)}: fence ${check.fence} was overtaken by ${fenceOf(check)}`);
    },
  };
};
