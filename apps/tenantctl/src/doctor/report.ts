import { styleText } from "node:util";
import { columns, duration, shown } from "../text.ts";
import type { TextStream } from "../world.ts";
import type { Examined } from "./check.ts";

const marks: Readonly<Record<Examined["status"], string>> = {
  ok: "ok",
  warning: "warning",
  problem: "PROBLEM",
  skipped: "skipped",
};

/** Shows each check as it is done; on a terminal also which ones are still under way. */
export const showChecks = (
  stream: TextStream,
  names: readonly string[],
): { done(examined: Examined): void; end(): void } => {
  const waiting = new Set(names);
  const redraw = stream.isTTY === true;
  const draw = (): void => {
    if (!redraw || waiting.size === 0) return;
    const line = `... ${[...waiting].join(", ")}`;
    stream.write(`\r\x1b[K${line.slice(0, (stream.columns ?? 80) - 1)}`);
  };
  const clear = (): void => {
    if (redraw) stream.write("\r\x1b[K");
  };
  draw();
  return {
    done: ({ check, status, seen, durationMs }) => {
      waiting.delete(check);
      clear();
      const mark = marks[status].padEnd(8);
      stream.write(
        `${redraw ? styleText(colours[status], mark) : mark} ${check.padEnd(13)} ${shown(seen)} (${duration(durationMs)})\n`,
      );
      draw();
    },
    end: clear,
  };
};

const colours = { ok: "green", warning: "yellow", problem: "red", skipped: "gray" } as const;

/** All findings, the gravest first, each with what mends it. */
export const reportOf = (all: readonly Examined[]): string => {
  const findings = all.flatMap(({ check, findings }) => findings.map((finding) => ({ check, ...finding })));
  if (findings.length === 0)
    return all.some(({ status }) => status === "skipped") ? "Nothing was found." : "All is well.";
  const graveFirst = findings.toSorted((one, other) => one.severity.localeCompare(other.severity));
  const skipped = all.filter(({ status }) => status === "skipped");
  return [
    ...graveFirst.map(({ check, severity, what, mend }) =>
      columns([
        [severity === "problem" ? "PROBLEM" : "warning", `${check}: ${shown(what)}`],
        ["", `mend: ${shown(mend)}`],
      ]),
    ),
    ...(skipped.length === 0
      ? []
      : [`Not looked at: ${skipped.map(({ check, seen }) => `${check} (${seen})`).join("; ")}`]),
  ].join("\n\n");
};
