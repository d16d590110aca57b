import { styleText } from "node:util";
import type { Saga, SagaStep } from "@deeplens/client";
import { noteOf, timeOf, triesOf } from "./saga-text.ts";
import { duration } from "./text.ts";
import type { TextStream } from "./world.ts";

/** Shows how a saga goes on: lines that are redrawn on a terminal, one plain line for each change elsewhere. */
export interface Progress {
  update(saga: Saga): void;
  /** Draws a last time and leaves the lines where they are. */
  end(): void;
}

export const showProgress = (stream: TextStream, nowMs: () => number = Date.now): Progress =>
  stream.isTTY === true ? redrawn(stream, nowMs) : plain(stream, nowMs);

const plain = (stream: TextStream, nowMs: () => number): Progress => {
  const last = new Map<string, string>();
  return {
    update: (saga) => {
      const sinceMs = Math.min(nowMs(), finishedMs(saga) ?? Infinity) - Date.parse(saga.createdAt);
      for (const step of saga.steps) {
        const seen = [words[step.phase], step.attempts, step.nextTryAt, noteOf(step)].join("\n");
        const known = last.get(step.step);
        last.set(step.step, seen);
        // Nobody needs to read that a step waits for its turn.
        if (seen === known || (known === undefined && step.phase === "waiting")) continue;
        const line = [
          step.step.padEnd(widthOf(saga, 8)),
          words[step.phase],
          inBrackets(triesOf(step, nowMs())),
          noteOf(step),
          step.phase === "done" ? inBrackets(timeOf(step, nowMs())) : "",
        ]
          .filter((part) => part !== "")
          .join(" ");
        stream.write(`[${duration(Math.max(0, sinceMs)).padStart(7)}] ${line}\n`);
      }
    },
    end: () => undefined,
  };
};

const frameMs = 120;
const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

const redrawn = (stream: TextStream, nowMs: () => number): Progress => {
  let saga: Saga | undefined;
  let drawn = 0;
  let frame = 0;
  const draw = (): void => {
    if (saga === undefined) return;
    const widths = { width: stream.columns ?? 80, nameWidth: widthOf(saga, 9) };
    const spinner = frames[frame++ % frames.length] ?? "";
    const elapsed = duration(Math.max(0, (finishedMs(saga) ?? nowMs()) - Date.parse(saga.createdAt)));
    const lines = [
      `${saga.slug}: ${saga.status} (${elapsed})`,
      ...saga.steps.map((step) => stepLine(step, spinner, widths, nowMs())),
    ];
    const up = drawn === 0 ? "" : `\x1b[${drawn}A`;
    stream.write(up + lines.map((line) => `\x1b[2K${line}\n`).join(""));
    drawn = lines.length;
  };
  const timer = setInterval(draw, frameMs);
  return {
    update: (next) => {
      saga = next;
      draw();
    },
    end: () => {
      clearInterval(timer);
      draw();
    },
  };
};

const widthOf = ({ steps }: Saga, least: number): number =>
  Math.max(least, ...steps.map(({ step }) => step.length));

const stepLine = (
  step: SagaStep,
  spinner: string,
  { width, nameWidth }: { width: number; nameWidth: number },
  nowMs: number,
): string => {
  const mark = marks[step.phase](spinner);
  const rest = [
    step.step.padEnd(nameWidth),
    words[step.phase].padEnd(12),
    inBrackets(triesOf(step, nowMs)),
    timeOf(step, nowMs),
    noteOf(step),
  ]
    .filter((part) => part !== "")
    .join(" ");
  // One line must stay one line, or the redrawing is off.
  return `  ${mark} ${rest.length > width - 6 ? `${rest.slice(0, width - 7)}…` : rest}`;
};

const words: Readonly<Record<SagaStep["phase"], string>> = {
  waiting: "waiting",
  working: "working",
  retrying: "will retry",
  done: "done",
  failed: "failed",
  undoing: "undoing",
  undone: "undone",
  untouched: "not begun",
  skipped: "not needed",
};

const marks: Readonly<Record<SagaStep["phase"], (spinner: string) => string>> = {
  waiting: () => "·",
  working: (spinner) => styleText("cyan", spinner),
  retrying: (spinner) => styleText("yellow", spinner),
  done: () => styleText("green", "✔"),
  failed: () => styleText("red", "✖"),
  undoing: (spinner) => styleText("yellow", spinner),
  undone: () => styleText("yellow", "↺"),
  untouched: () => "·",
  skipped: () => "-",
};

const inBrackets = (text: string): string => (text === "" ? "" : `(${text})`);

const finishedMs = (saga: Saga): number | undefined =>
  saga.finishedAt === null ? undefined : Date.parse(saga.finishedAt);
