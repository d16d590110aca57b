import type { Plan } from "@deeplens/client/api";
import { byteText } from "@deeplens/contracts";
import { columns, shown } from "./text.ts";

/** A plan in lines: what would be done, what it would make or take away, what would break, and the way back. */
export const planLines = (plan: Plan): string[] => {
  const { title, does, makes, goes, use, warnings, wayBack } = plan;
  return [
    `${title.charAt(0).toUpperCase()}${shown(title.slice(1))}:`,
    ...does.map((what) => `  ${shown(what)}`),
    ...listOf("It makes", makes.map(thingRow)),
    ...listOf("It has, and then it is gone", goes.map(thingRow)),
    ...listOf(
      "In use now",
      use.map(({ thing, measure, value, limit }) => [thing, words[measure](value, limit)]),
    ),
    ...listOf(
      "What breaks",
      warnings.map(({ code, message }) => [code, shown(message)]),
    ),
    wayBack === null ? "  There is no way back." : `  The way back: ${wayBack}`,
  ];
};

/** Why the act would be refused; nothing where it may begin. */
export const refusalLines = ({ refusals }: Plan): string[] =>
  refusals.map(({ code, message }) => `${shown(message)} (${code})`);

const listOf = (head: string, rows: readonly (readonly string[])[]): string[] =>
  rows.length === 0 ? [] : [`  ${head}`, columns(rows, "    ")];

const thingRow = ({ part, kind, name }: Plan["makes"][number]): string[] => [part, kind, shown(name)];

type Word = (value: number, limit: number | null) => string;

const words: Readonly<Record<Plan["use"][number]["measure"], Word>> = {
  bytes: (value, limit) => `${byteText(value)}${limit === null ? "" : ` of ${byteText(limit)}`}`,
  "memory-bytes": (value) => `${byteText(value)} of memory`,
  connections: (value, limit) => `${value}${limit === null ? "" : ` of ${limit}`} connections open`,
};
