import type { HistoryEntry } from "@deeplens/client";
import { columns, duration, moment, shown } from "./text.ts";

/** A history as lines: how long after the first entry, what happened, and what it changed. */
export const timeline = (history: readonly HistoryEntry[]): string => {
  const first = history[0];
  if (first === undefined) return "  nothing is recorded";
  const startMs = Date.parse(first.at);
  const rows = history.map((entry) => [
    `+${duration(Date.parse(entry.at) - startMs)}`,
    entry.step ?? "",
    entry.event,
    shown([movesOf(entry), reasonOf(entry)].filter((part) => part !== "").join("; ")),
  ]);
  return `  began ${moment(first.at)}\n${columns(rows, "  ")}`;
};

// `moved` is {region: [before, after]}.
const movesOf = ({ body }: HistoryEntry): string => {
  const moved = body.moved;
  if (typeof moved !== "object" || moved === null) return "";
  return Object.entries(moved as Record<string, readonly unknown[]>)
    .map(([region, [before, after]]) =>
      before === null || before === undefined
        ? `${region} ${String(after)}`
        : `${region} ${String(before)} -> ${String(after)}`,
    )
    .join(", ");
};

const reasonOf = ({ body }: HistoryEntry): string =>
  [textOf(body.by), textOf(body.reason), textOf(body.code), textOf(body.message), textOf(body.progress)]
    .filter((part) => part !== "")
    .join(": ");

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
