import { type Reply, unreachable } from "@deeplens/contracts";
import { isOperation } from "../machine/act-table.ts";
import { advanceSaga, type Happened, record } from "./advance.ts";
import { type Batch, partsOf, reserve } from "./batch.ts";
import { workMsOf } from "./commands.ts";
import { type Saga, type StepRecord, stepOf, type Work, workOf } from "./saga.ts";

/**
 * A worker's reply. Only one that bears its step's newest fence moves the saga; an older one goes into the history,
 * except that a completion of a step that was undone since is answered by another undo (PROTOCOL.md 6).
 */
export const applyReply = (batch: Batch, saga: Saga, reply: Reply): void => {
  const { step, fence } = reply.value;
  const happened: Happened = { event: reply.record, step, fence, body: bodyOf(reply) };
  const known = saga.steps[step];
  if (known === undefined)
    return record(batch, saga, { ...happened, event: `${reply.record} (no such step)` });
  if (fence !== known.fence) return applyOlder(batch, saga, reply, happened);
  switch (reply.record) {
    case "StepProgressed":
      return applyProgress(batch, saga, known, reply.value, happened);
    case "StepCompleted":
      known.outputs = reply.value.outputs;
      known.resources = reply.value.resources;
      known.calls = reply.value.calls;
      known.durationMs = reply.value.durationMs;
      known.finishedAt = reply.value.occurredAt;
      if (reply.value.receipt.length > 0) known.receipt = reply.value.receipt;
      delete known.error;
      return advanceSaga(
        batch,
        saga,
        { type: undoesByOperation(saga, step) ? `compensated.${step}` : `completed.${step}` },
        happened,
      );
    case "StepFailed": {
      if (undoesByOperation(saga, step)) return applyUndoFailed(batch, saga, known, reply.value, happened);
      const outcome = failureOutcome(batch, known, reply.value);
      keepError(saga, step, known, reply.value, outcome !== "retry");
      return advanceSaga(batch, saga, { type: `failed.${step}`, outcome }, happened);
    }
    case "StepCompensated":
      known.receipt = reply.value.receipt;
      known.finishedAt = reply.value.occurredAt;
      return advanceSaga(batch, saga, { type: `compensated.${step}` }, happened);
    case "StepCompensationFailed":
      return applyUndoFailed(batch, saga, known, reply.value, happened);
    default:
      return unreachable(reply);
  }
};

/** An act's undo and its second look are operations too, and are answered like any other. */
const undoesByOperation = (saga: Saga, step: string): boolean =>
  saga.request.act !== undefined && workOf(saga.state[step]) !== "do";

const applyUndoFailed = (
  batch: Batch,
  saga: Saga,
  known: StepRecord,
  failure: { step: string; permanent: boolean; code: string; message: string },
  happened: Happened,
): void => {
  const { step, permanent } = failure;
  const outcome = permanent || !triesLeft(batch, known, workOf(saga.state[step])) ? "final" : "retry";
  keepError(saga, step, known, failure, outcome === "final");
  advanceSaga(batch, saga, { type: `undoFailed.${step}`, outcome }, happened);
};

/** No reply in time, or one that nobody can read: the command is sent again while tries are left. */
export const applySilence = (
  batch: Batch,
  saga: Saga,
  step: string,
  happened: Happened,
  error: { code: string; message: string },
): void => {
  const known = stepOf(saga, step);
  const outcome = triesLeft(batch, known, workOf(saga.state[step])) ? "retry" : "final";
  keepError(saga, step, known, error, outcome === "final");
  advanceSaga(batch, saga, { type: `deadline.${step}`, outcome }, happened);
};

const applyOlder = (batch: Batch, saga: Saga, reply: Reply, happened: Happened): void => {
  const touched = reply.record === "StepCompleted" ? touchedBy(batch, saga, reply.value.step) : undefined;
  if (touched !== undefined) return undoAgain(batch, saga, touched, happened);
  record(batch, saga, { ...happened, event: `${reply.record} (stale)` });
};

/**
 * An effect of a step that was undone may have landed since: undo it again, and start the settle time again. Not while
 * another tenant has the slug: its parts are not ours to command.
 */
export const undoAgain = (batch: Batch, saga: Saga, step: string, happened: Happened): void => {
  const { reservation } = partsOf(batch, saga);
  if (reservation.tenantId !== saga.tenantId) {
    if (!reservation.released)
      return record(batch, saga, { ...happened, event: `${happened.event} (slug given on)` });
    // Whoever had it since is gone too: the slug is held for this tenant until its effect is undone.
    reserve(batch, { ...reservation, tenantId: saga.tenantId, sagaId: saga.sagaId });
  }
  const { attempts } = stepOf(saga, step);
  if (saga.request.act !== undefined) attempts.do = 0;
  attempts.undo = 0;
  attempts.look = 0;
  delete saga.finishedAt;
  advanceSaga(
    batch,
    saga,
    { type: `lateCompleted.${step}` },
    { ...happened, event: `${happened.event} (late)` },
  );
};

/**
 * The step whose part a late effect of that step, or of that part, has touched: it was undone or purged (and perhaps
 * looked after), and nothing is under way for it that would cover the effect.
 */
export const touchedBy = (batch: Batch, saga: Saga, stepOrPart: string): string | undefined => {
  const act = batch.kind.acts.get(saga.kind)?.act;
  if (act === undefined) return isGone(saga, stepOrPart) ? stepOrPart : undefined;
  const operations = act.steps.filter(isOperation);
  const part = operations.find(({ step }) => step === stepOrPart)?.part ?? stepOrPart;
  const purge = operations.find((one) => one.part === part && one.secondLook === true)?.step;
  return purge !== undefined && (isGone(saga, purge) || saga.state[purge] === "done") ? purge : undefined;
};

const isGone = (saga: Saga, step: string): boolean =>
  ["undone", "confirmed", "looking", "lookBackingOff", "lookFailed"].includes(saga.state[step] ?? "");

const applyProgress = (
  batch: Batch,
  saga: Saga,
  known: StepRecord,
  value: { step: string; progress: string; message: string; occurredAt: string },
  happened: Happened,
): void => {
  if (saga.timers[value.step]?.kind !== "deadline")
    return record(batch, saga, { ...happened, event: "StepProgressed (stale)" });
  if (known.startedAt === undefined) {
    // From now on it is work, no longer waiting: the work's own deadline counts (PROTOCOL.md 15).
    known.startedAt = value.occurredAt;
    saga.timers[value.step] = {
      kind: "deadline",
      dueMs: batch.now.getTime() + workMsOf(batch, saga, value.step),
      fence: known.fence,
    };
  }
  known.progress = value.message === "" ? value.progress : value.message;
  batch.changedSagas.add(saga);
  record(batch, saga, happened);
};

const failureOutcome = (
  batch: Batch,
  known: StepRecord,
  value: { permanent: boolean; pivot: string },
): "retry" | "final" | "refused" => {
  const nothingDone = value.pivot === "refused" || value.pivot === "not-asked";
  if (!value.permanent && triesLeft(batch, known, "do")) return "retry";
  return nothingDone ? "refused" : "final";
};

const triesLeft = (batch: Batch, known: StepRecord, work: Work): boolean =>
  known.attempts[work] < batch.settings.attempts;

/** The step's last error; where it is for good, the saga's as well: the first cause stays, whatever fails after it. */
const keepError = (
  saga: Saga,
  step: string,
  known: StepRecord,
  { code, message }: { code: string; message: string },
  forGood: boolean,
): void => {
  known.error = { code, message };
  if (!forGood) return;
  // That the pivot's outcome was not known is no cause any more once it is known.
  if (saga.state[step] === "uncertain") delete saga.error;
  saga.error ??= { step, code, message };
};

const bodyOf = (reply: Reply): Record<string, unknown> => {
  const {
    sagaId: _sagaId,
    tenantId: _tenantId,
    slug: _slug,
    step: _step,
    fence: _fence,
    ...body
  } = reply.value;
  return body;
};
