import type { Saga, SagaStep } from "@deeplens/client";
import { columns, duration, moment, shown } from "./text.ts";

/** A saga in words: where it is, its steps, what it waits for, why it failed. */
export const describeSaga = (saga: Saga, nowMs: number): string => {
  const lines = [
    `Saga ${saga.sagaId} (${saga.kind} of ${saga.slug}) is ${saga.status}, since ${moment(saga.createdAt)}`,
    columns(
      saga.steps.map((step) => [
        step.step,
        step.phase,
        triesOf(step, nowMs),
        timeOf(step, nowMs),
        noteOf(step),
      ]),
      "  ",
    ),
  ];
  const why = whyOf(saga);
  if (why !== undefined) lines.push(`Why: ${why}`);
  const waiting = saga.waitingFor.map(
    ({ what, until }) =>
      `  ${what}, until ${moment(until)} (in ${duration(Math.max(0, Date.parse(until) - nowMs))})`,
  );
  if (waiting.length > 0) lines.push("Waits for", ...waiting);
  if (saga.steps.some(({ nextTryAt }) => nextTryAt !== null))
    lines.push(`To try at once: tenantctl retry ${saga.slug} --reason "..."`);
  if (saga.status === "stuck") lines.push(...whatAnOperatorCanDo(saga));
  return lines.join("\n");
};

/** Why a saga failed, and, where it is stuck, at what; undefined while nothing is wrong. */
export const whyOf = (saga: Saga): string | undefined => {
  const stuckAt =
    saga.status !== "stuck"
      ? []
      : saga.steps.flatMap(({ step, phase, error }) =>
          phase === "failed" && error !== null ? [{ step, ...error }] : [],
        );
  const reasons = [...(saga.error === null ? [] : [saga.error]), ...stuckAt].map(
    ({ step, code, message }) => `${step === null ? "" : `step ${step}: `}${message} (${code})`,
  );
  return reasons.length === 0 ? undefined : shown([...new Set(reasons)].join("; then "));
};

/** What was removed, and what was looked for, by the undo of each step. */
export const receiptOf = (saga: Saga): string[] =>
  saga.steps.flatMap((step) =>
    step.receipt.map(
      ({ kind, name, outcome }) => `  ${step.step}: ${kind} ${shown(name)} ${outcomes[outcome] ?? outcome}`,
    ),
  );

const outcomes: Readonly<Record<string, string>> = {
  removed: "was removed",
  absent: "was not there",
  "not-asked": "was never asked for",
  foreign: "is another owner's: left alone",
  "given-up": "was given up: what it holds is the tenant's own",
  "may-be-left": "may be left: the tenant's cloud does not let its credentials look any more",
  "not-ours": "is the tenant's own: left alone",
  kept: "stays: its service has no delete",
  "told-by-event": "has no call for it: the lifecycle event told it",
};

export const whatAnOperatorCanDo = (saga: { sagaId: string; slug: string }): string[] => [
  "It waits for an operator. When the reason is gone:",
  `  tenantctl retry ${saga.slug} --reason "..."    the failed step again`,
  `  tenantctl resume ${saga.slug} --reason "..."   on from where it stopped`,
];

/** Which try it is at, where that is not the first; where it waits for the next one, which that is and when it comes. */
export const triesOf = ({ attempts, attemptsAtMost, nextTryAt }: SagaStep, nowMs: number): string => {
  if (nextTryAt !== null)
    return `try ${attempts + 1} of ${attemptsAtMost} in ${duration(Math.max(0, Date.parse(nextTryAt) - nowMs))}`;
  return attempts > 1 ? `try ${attempts} of ${attemptsAtMost}` : "";
};

/** How long the step took, or has taken up to now; nothing for one that is not at work. */
export const timeOf = (step: SagaStep, nowMs: number): string => {
  switch (step.phase) {
    case "done":
      return step.durationMs === null ? "" : duration(step.durationMs);
    case "working":
    case "retrying":
    case "undoing":
      return step.commandedAt === null ? "" : duration(Math.max(0, nowMs - Date.parse(step.commandedAt)));
    default:
      return "";
  }
};

/** What the step does, or why it failed, in one line. */
export const noteOf = (step: SagaStep): string => {
  switch (step.phase) {
    case "retrying":
    case "failed":
    case "undoing":
    case "undone":
      return step.error === null ? "" : shown(`${step.error.message} (${step.error.code})`);
    case "working":
      return shown(
        [
          step.progress ?? (step.startedAt === null ? "its worker has not begun" : ""),
          step.error === null ? "" : `before: ${step.error.message} (${step.error.code})`,
        ]
          .filter((part) => part !== "")
          .join("; "),
      );
    default:
      return "";
  }
};
