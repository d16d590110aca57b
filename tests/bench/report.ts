import type { Measures, Ratio, Spread } from "./statistics.ts";

/** What a benchmark found, by variant. */
export interface Report {
  readonly bench: string;
  readonly runs: number;
  readonly variants: Readonly<Record<string, Spread>>;
  /** Of variants that were measured in pairs. */
  readonly ratios?: readonly (Ratio & { readonly key: string; readonly of: string; readonly to: string })[];
}

/**
 * One line: the medians by their keys, `min` and `max` with the same keys beside them. Where several variants were
 * compared, each has that under its name in `variants`.
 */
export const jsonOf = ({ bench, runs, variants, ratios }: Report): string => {
  const each = Object.entries(variants).map(([name, { median, min, max }]): [string, object] => [
    name,
    { ...median, min, max },
  ]);
  const [only] = each;
  const found = each.length === 1 && only !== undefined ? only[1] : { variants: Object.fromEntries(each) };
  return JSON.stringify({ bench, runs, ...found, ratios }, (_key, value) =>
    typeof value === "number" ? Number(value.toFixed(3)) : value,
  );
};

/** The same for a person: a line a number, groups indented. */
export const tableOf = ({ bench, runs, variants, ratios = [] }: Report): string =>
  [
    ...Object.entries(variants).map(([name, spread]) =>
      [
        `\n${bench}${name === "" ? "" : `, ${name}`}: median of ${runs} (minimum to maximum)`,
        ...linesOf(spread.median, spread.min, spread.max, "  "),
      ].join("\n"),
    ),
    ...ratios.map(
      ({ key, of, to, ratio, low, high }) =>
        `\n${key}, ${of} to ${to}: ${ratio.toFixed(3)} (95 % interval of ${runs} pairs: ${low.toFixed(3)} to ${high.toFixed(3)})`,
    ),
  ].join("\n");

const linesOf = (median: Measures, min: Measures, max: Measures, indent: string): string[] =>
  Object.entries(median).flatMap(([key, value]) => {
    const [low, high] = [min[key], max[key]];
    if (typeof value === "number")
      return `${`${indent}${key}`.padEnd(34)} ${shown(value).padStart(10)}   (${shown(low)} to ${shown(high)})`;
    return [`${indent}${key}`, ...linesOf(value, groupOf(low), groupOf(high), `${indent}  `)];
  });

const groupOf = (value: number | Measures | undefined): Measures => (typeof value === "object" ? value : {});

/** Whole numbers as they are; of others, what still tells two runs apart. */
const shown = (value: number | Measures | undefined): string => {
  if (typeof value !== "number") return "-";
  return Number.isInteger(value) ? String(value) : value.toFixed(value < 10 ? 2 : 1);
};
