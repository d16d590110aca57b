import type { MachineEvent } from "../machine/events.ts";
import { advanceSaga, type Happened } from "./advance.ts";
import type { Batch } from "./batch.ts";
import type { InboxBody, InboxResult } from "./inbox.ts";
import type { Saga } from "./saga.ts";

type Act = Extract<InboxBody, { kind: "act" }>;

const retryable = [
  "backingOff",
  "uncertain",
  "halted",
  "undoBackingOff",
  "undoFailed",
  "lookBackingOff",
  "lookFailed",
];

/** The code of a refusal: what the act was meant for is no more as its asker saw it. */
export const changedMeanwhile = "changed-meanwhile";

/** An operator's act on a saga. Refused, with the state that the saga has now, where it moved on. */
export const applyAct = (batch: Batch, act: Act): InboxResult => {
  const saga = batch.sagas.get(act.sagaId);
  if (saga === undefined)
    return {
      ok: false,
      code: "saga-unknown",
      message: `there is no saga ${act.sagaId}; list them with \`tenantctl sagas\``,
    };
  if (saga.tenantId !== act.tenantId)
    return refuse(
      saga,
      "tenant-differs",
      `saga ${act.sagaId} is of tenant ${saga.tenantId}, not of ${act.tenantId}`,
    );
  if (act.ifVersion !== undefined && (act.ifVersion !== saga.version || batch.changedSagas.has(saga)))
    return refuse(
      saga,
      changedMeanwhile,
      `saga ${act.sagaId} (tenant ${saga.slug}) is no more as you saw it: it is ${saga.status} now`,
    );
  switch (act.act) {
    case "retry":
    case "resume":
      return retry(batch, saga, act);
    case "abort":
      return abort(batch, saga, act);
  }
};

const retry = (batch: Batch, saga: Saga, act: Act): InboxResult => {
  const waiting = Object.keys(saga.steps).filter((step) => retryable.includes(saga.state[step] ?? ""));
  const steps =
    act.act === "retry" && act.step !== undefined ? waiting.filter((step) => step === act.step) : waiting;
  if (steps.length === 0)
    return refuse(
      saga,
      "nothing-to-retry",
      act.step === undefined
        ? `no step of saga ${saga.sagaId} (tenant ${saga.slug}) failed and waits; it is ${saga.status}`
        : `step ${act.step} of saga ${saga.sagaId} (tenant ${saga.slug}) is ${saga.state[act.step] ?? "unknown"}, not failed`,
    );
  for (const step of steps) {
    const known = saga.steps[step];
    if (known !== undefined) known.attempts = { do: 0, undo: 0, look: 0 };
  }
  if (saga.state.course === "stuckForward") forgetError(saga, steps);
  const events: MachineEvent[] =
    act.act === "resume"
      ? [{ type: "resume" }]
      : steps.map((step): MachineEvent => ({ type: `retry.${step}` }));
  for (const event of events) advanceSaga(batch, saga, event, happenedOf(act));
  return accepted(saga);
};

/** What these steps were stuck at is over. Where another step is still halted it is stuck at that, and says so. */
const forgetError = (saga: Saga, retried: readonly string[]): void => {
  delete saga.error;
  for (const [step, { error }] of Object.entries(saga.steps))
    if (error !== undefined && saga.state[step] === "halted" && !retried.includes(step))
      saga.error ??= { step, ...error };
};

const abort = (batch: Batch, saga: Saga, act: Act): InboxResult => {
  if (saga.kind === "remove")
    return refuse(
      saga,
      "removal-goes-forward",
      `the removal of tenant ${saga.slug} is not aborted; inside its grace period the tenant is restored: tenantctl restore ${saga.slug}`,
    );
  switch (saga.status) {
    case "compensating":
    case "rolled-back":
    case "undone":
    case "closed":
      return { ...accepted(saga), repeated: true };
    case "removed":
    case "done":
      return refuse(
        saga,
        "already-done",
        `${saga.kind} of tenant ${saga.slug} is done; there is nothing to abort`,
      );
    case "ready":
      return refuse(
        saga,
        "already-ready",
        `tenant ${saga.slug} is ready; a finished tenant is removed, not aborted`,
      );
    case "stuck":
      return saga.state.course === "stuckForward"
        ? refuse(saga, "pivot-commanded", pivotReason(saga))
        : refuse(
            saga,
            "already-compensating",
            `saga ${saga.sagaId} is being rolled back and is stuck; retry or resume it`,
          );
    case "waiting":
    case "running": {
      saga.error = { step: act.step ?? "", code: "aborted", message: `aborted by ${act.by}: ${act.reason}` };
      advanceSaga(batch, saga, { type: "abort" }, happenedOf(act));
      if (saga.state.course !== "forward") return accepted(saga);
      delete saga.error;
      return refuse(saga, "pivot-commanded", pivotReason(saga));
    }
  }
};

const pivotReason = (saga: Saga): string =>
  saga.kind === "rotate"
    ? `rotate of tenant ${saga.slug} (saga ${saga.sagaId}) ends the old credentials already: from there it only goes forward; retry or resume it`
    : `saga ${saga.sagaId} (tenant ${saga.slug}) has asked Identity already, which can't be undone: from there it only goes forward; retry or resume it`;

const happenedOf = (act: Act): Happened => ({
  event: `act: ${act.act}`,
  step: act.step ?? null,
  fence: null,
  body: { by: act.by, reason: act.reason },
});

const accepted = (saga: Saga): Extract<InboxResult, { ok: true }> => ({
  ok: true,
  sagaId: saga.sagaId,
  tenantId: saga.tenantId,
  status: saga.status,
  repeated: false,
});

const refuse = (saga: Saga, code: string, message: string): InboxResult => ({
  ok: false,
  code,
  message,
  tenantId: saga.tenantId,
  state: saga.status,
});
