/** The flags of a benchmark: read, refused and explained in one place. */
import { type ParseArgsConfig, parseArgs } from "node:util";

export type Flag =
  | { readonly type: "boolean"; readonly help: string }
  | { readonly type: "string"; readonly value: string; readonly default?: string; readonly help: string };

export type Flags = Readonly<Record<string, Flag>>;

/** What was given: text, or true. */
export type Values = Readonly<Record<string, string | boolean | undefined>>;

/** Flags that mean nothing; the message says which and why. */
export class UsageError extends Error {}

/** @throws UsageError for a flag that is not in the list, a value that is missing, a word that is no flag */
export const readFlags = (flags: Flags, argv: readonly string[]): Values => {
  const options: ParseArgsConfig["options"] = {};
  for (const [name, flag] of Object.entries(flags))
    options[name] =
      flag.type === "string" && flag.default !== undefined
        ? { type: "string", default: flag.default }
        : { type: flag.type };
  try {
    return parseArgs({ args: [...argv], options }).values as Values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
};

/** A line a flag, defaults named. */
export const helpOf = (flags: Flags): string =>
  Object.entries(flags)
    .map(([name, flag]) => {
      const shown = flag.type === "string" ? `--${name} ${flag.value}` : `--${name}`;
      const fallback = flag.type === "string" && flag.default ? ` (default ${flag.default})` : "";
      return `  ${shown.padEnd(22)} ${flag.help}${fallback}`;
    })
    .join("\n");

/** @throws UsageError when the flag's value is no whole number, or below `least` */
export const wholeNumber = (values: Values, flag: string, least: number): number =>
  parseWhole(values[flag], flag, least);

/** Of a list split by commas. @throws UsageError as wholeNumber does */
export const wholeNumbers = (values: Values, flag: string, least: number): readonly number[] =>
  String(values[flag])
    .split(",")
    .map((text) => parseWhole(text, flag, least));

const parseWhole = (text: string | boolean | undefined, flag: string, least: number): number => {
  const number = typeof text === "string" && /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least) return number;
  throw new UsageError(`--${flag} ${text}: it takes a whole number of at least ${least}`);
};
