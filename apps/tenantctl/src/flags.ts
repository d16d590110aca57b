import { InvalidArgumentError } from "commander";

/** What turns a flag's text into its value; a wrong text is refused with the rule, before the API is asked. */
type Parse<Value> = (text: string) => Value;

/** One that takes certain words only: completion reads them. */
type WordParse<Value> = Parse<Value> & { readonly words: readonly string[]; readonly many: boolean };

/** A whole number in the range, both ends included. */
export const wholeNumber =
  (from: number, to: number): Parse<number> =>
  (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= from && value <= to) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${from} to ${to}.`);
  };

/** One or more of these words, with commas between them. */
export const someOf = (words: readonly string[]): WordParse<readonly string[]> => {
  const parse = (text: string): readonly string[] => {
    const asked = text.split(",").map((word) => word.trim());
    const wrong = asked.find((word) => !words.includes(word));
    if (wrong === undefined) return asked;
    throw new InvalidArgumentError(`"${wrong}" is none of ${words.join(", ")}.`);
  };
  return Object.assign(parse, { words, many: true });
};

/** Any word; completion offers these. */
export const anyOf = (words: readonly string[]): WordParse<string> =>
  Object.assign((text: string) => text, { words, many: false });

/** The address of a web service. */
export const webAddress: Parse<string> = (text) => {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new InvalidArgumentError("It must be an address like http://127.0.0.1:8090.");
};

const unitsMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time like 7d, 12h, 30m or 90s, in ms; at most a year. */
export const timeSpan: Parse<number> = (text) => {
  const [, count, unit = ""] = /^(\d{1,8})([smhd])$/.exec(text) ?? [];
  const ms = Number(count) * (unitsMs[unit] ?? Number.NaN);
  if (ms <= 366 * 86_400_000) return ms;
  throw new InvalidArgumentError("It must be a time like 7d, 12h or 30m, and no longer than a year.");
};
