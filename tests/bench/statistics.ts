/** The value below which that share (0 to 1) of the values lie; NaN for none. */
export const quantile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
};

/** What one run found, in the units of the names; a group (the steps of a tenant) has numbers of its own. */
export interface Measures {
  readonly [key: string]: number | Measures;
}

export interface Spread {
  readonly median: Measures;
  readonly min: Measures;
  readonly max: Measures;
}

/** Over the runs, number by number. One that only some runs have is taken over these. */
export const spreadOf = (runs: readonly Measures[]): Spread => ({
  median: combine(runs, (values) => quantile(values, 0.5)),
  min: combine(runs, (values) => Math.min(...values)),
  max: combine(runs, (values) => Math.max(...values)),
});

const combine = (runs: readonly Measures[], join: (values: readonly number[]) => number): Measures => {
  const keys = new Set(runs.flatMap((run) => Object.keys(run)));
  return Object.fromEntries(
    [...keys].map((key) => {
      const found = runs.flatMap((run) => run[key] ?? []);
      const numbers = found.filter((one) => typeof one === "number");
      return [
        key,
        numbers.length > 0
          ? join(numbers)
          : combine(
              found.filter((one) => typeof one === "object"),
              join,
            ),
      ];
    }),
  );
};
