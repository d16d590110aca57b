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

/** What a pair's second value is to its first, and within which limits that lies. */
export interface Ratio {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

/**
 * The ratio of values that were measured in pairs: the geometric mean over the pairs with Student's interval of 95 %, on
 * logarithms, so that twice and half are equally far from one. Of one pair the interval is unknown (NaN).
 */
export const pairedRatio = (values: readonly number[], bases: readonly number[]): Ratio => {
  const logs = values.map((value, index) => Math.log(value / (bases[index] ?? Number.NaN)));
  const mean = logs.reduce((sum, one) => sum + one, 0) / logs.length;
  const variance = logs.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (logs.length - 1);
  const reach = student95(logs.length - 1) * Math.sqrt(variance / logs.length);
  return { ratio: Math.exp(mean), low: Math.exp(mean - reach), high: Math.exp(mean + reach) };
};

/** Student's t for a two-sided interval of 95 %; beyond ten degrees of freedom the last one, which is on the safe side. */
const student95 = (degrees: number): number =>
  [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228][Math.min(degrees, 10) - 1] ??
  Number.NaN;
