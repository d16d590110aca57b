import { stepNames, unreachable } from "@deeplens/contracts";
import type { z } from "zod";
import { overlapStep } from "../machine/act-table.ts";
import { type SagaRequest, type StepRecord, type Timer, workOf } from "../saga/saga.ts";
import type { sagaSchema, sagaSummarySchema, stepSchema } from "./schemas.ts";

export type SagaSummary = z.infer<typeof sagaSummarySchema>;
export type SagaView = z.infer<typeof sagaSchema>;
type StepView = z.infer<typeof stepSchema>;
type Phase = StepView["phase"];

/** A row of the table of sagas. */
export interface SagaRow {
  readonly saga_id: string;
  readonly tenant_id: string;
  readonly slug: string;
  readonly kind: string;
  readonly status: string;
  readonly machine_version: number;
  readonly version: number;
  readonly snapshot: { readonly value: Readonly<Record<string, string>> };
  readonly steps: Readonly<Record<string, StepRecord>>;
  readonly timers: Readonly<Record<string, Timer>>;
  readonly error: { readonly step?: string | null; readonly code: string; readonly message: string } | null;
  readonly request: SagaRequest;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly finished_at: Date | null;
}

export const sagaSummaryOf = (row: SagaRow): SagaSummary => ({
  sagaId: row.saga_id,
  tenantId: row.tenant_id,
  slug: row.slug,
  kind: row.kind,
  status: row.status,
  error:
    row.error === null
      ? null
      : { step: row.error.step || null, code: row.error.code, message: row.error.message },
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
  finishedAt: row.finished_at?.toISOString() ?? null,
});

/** A saga as a person sees it: steps with their times and tries, and what it waits for. */
export const sagaViewOf = (row: SagaRow, attemptsAtMost: number): SagaView => {
  const { course = "", ...states } = row.snapshot.value;
  return {
    ...sagaSummaryOf(row),
    name: row.request.spec.name,
    requestId: row.request.requestId,
    source: row.request.source,
    machineVersion: row.machine_version,
    version: row.version,
    course,
    steps: Object.entries(states)
      .sort(([a], [b]) => placeOf(a) - placeOf(b))
      .map(([step, state]) =>
        stepViewOf(step, state, {
          record: row.steps[step],
          timer: row.timers[step],
          attemptsAtMost,
          isAct: row.request.act !== undefined,
        }),
      ),
    waitingFor: Object.entries(row.timers)
      .map(([step, timer]) => waitingOf(step, timer, states[step] ?? "", row.steps[step]))
      .sort((a, b) => a.until.localeCompare(b.until)),
  };
};

// Steps of the product are shown in the order of their work, those of acts in their table's, which the snapshot keeps.
const placeOf = (step: string): number => {
  const place = (stepNames as readonly string[]).indexOf(step);
  return place === -1 ? stepNames.length : place;
};

const stepViewOf = (
  step: string,
  state: string,
  {
    record,
    timer,
    attemptsAtMost,
    isAct,
  }: {
    record: StepRecord | undefined;
    timer: Timer | undefined;
    attemptsAtMost: number;
    isAct: boolean;
  },
): StepView => ({
  step,
  state,
  phase: phaseOf(state, isAct),
  attempts: record === undefined ? 0 : record.attempts[workOf(state)],
  attemptsAtMost,
  nextTryAt: timer?.kind === "backOff" ? new Date(timer.dueMs).toISOString() : null,
  fence: record?.fence ?? 0,
  commandedAt: record?.commandedAt ?? null,
  startedAt: record?.startedAt ?? null,
  finishedAt: record?.finishedAt ?? null,
  durationMs: record?.durationMs ?? null,
  progress: record?.progress ?? null,
  error: record?.error === undefined ? null : { code: record.error.code, message: record.error.message },
  resources: (record?.resources ?? []).map(({ kind, name }) => ({ kind, name })),
  receipt: (record?.receipt ?? []).map(({ kind, name, outcome }) => ({ kind, name, outcome })),
});

const phases: Readonly<Record<string, Phase>> = {
  pending: "waiting",
  waiting: "waiting",
  running: "working",
  backingOff: "retrying",
  uncertain: "failed",
  failed: "failed",
  done: "done",
  undoing: "undoing",
  undoBackingOff: "undoing",
  undoFailed: "failed",
  undone: "undone",
  looking: "undone",
  lookBackingOff: "undone",
  lookFailed: "undone",
  confirmed: "undone",
  halted: "failed",
  standby: "untouched",
  untouched: "untouched",
  skipped: "skipped",
};

// A word that a newer machine brought is shown as work under way until this table knows it.
const phaseOf = (state: string, isAct: boolean): Phase =>
  (isAct ? phasesOfActs[state] : undefined) ?? phases[state] ?? "working";

// After a purge the second look is more work on what is done; after an undo it is none that anybody waits for.
const phasesOfActs: Readonly<Record<string, Phase>> = {
  looking: "working",
  lookBackingOff: "retrying",
  lookFailed: "failed",
  confirmed: "done",
};

const waitingOf = (
  name: string,
  timer: Timer,
  state: string,
  record: StepRecord | undefined,
): SagaView["waitingFor"][number] => ({
  timer: timer.kind,
  step: timer.kind === "settle" || timer.kind === "release" ? null : name,
  what: whatFor(name, timer, state, record),
  until: new Date(timer.dueMs).toISOString(),
});

const whatFor = (step: string, timer: Timer, state: string, record: StepRecord | undefined): string => {
  const work = state.startsWith("undo")
    ? `undo of ${step}`
    : state.startsWith("look")
      ? `second look at ${step}`
      : step;
  switch (timer.kind) {
    case "deadline":
      return record?.startedAt === undefined
        ? `the ${step} worker to begin: ${work}`
        : `the ${step} worker to finish: ${work}`;
    case "backOff":
      return `the next try: ${work}`;
    case "settle":
      return "late effects to settle; then a second look confirms that nothing is left";
    case "wait":
      return step === overlapStep
        ? "the end of the old credentials; until then both are good, and the new ones can be taken back"
        : "the purge; until then the tenant can be restored";
    case "release":
      return "the name to be free for another tenant";
    default:
      return unreachable(timer.kind);
  }
};
