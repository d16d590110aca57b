import { overlapStep } from "../machine/act-table.ts";
import {
  accepted,
  actRuns,
  already,
  happenedOf,
  type Parts,
  refuse,
  type TenantAct,
  tell,
  wrongState,
} from "./act-answers.ts";
import { setOverlap } from "./act-moments.ts";
import { advanceSaga } from "./advance.ts";
import type { Batch } from "./batch.ts";
import type { InboxResult, RotationChange } from "./inbox.ts";
import type { Saga } from "./saga.ts";

/** Ends the old credentials of the rotation that runs, or moves the moment at which they end. */
export const changeRotation = (
  batch: Batch,
  act: TenantAct,
  what: RotationChange,
  { tenant, reservation }: Parts,
): InboxResult => {
  const { running } = tenant.acts;
  if (running === undefined) return wrongState(tenant, what, reservation);
  if (running.kind !== "rotate") return actRuns(tenant, running);
  const saga = batch.sagas.get(running.sagaId);
  if (saga === undefined)
    return refuse(
      tenant,
      "moved-on",
      `the rotation of tenant ${tenant.slug} has moved on; send the act again`,
    );
  switch (saga.state[overlapStep]) {
    case "pending":
      if (saga.state.course !== "forward") break;
      // The new ones are not proven yet: the wait that comes is so long.
      tellOverlap(saga, what === "end-rotation" ? 0 : overlapOf(batch, act));
      batch.changedSagas.add(saga);
      return accepted(saga);
    case "waiting":
      if (what === "end-rotation")
        advanceSaga(batch, saga, { type: `elapsed.${overlapStep}` }, happenedOf(act));
      else moveEnd(batch, act, saga, { tenant, reservation });
      return accepted(saga);
    case "done":
      return what === "end-rotation"
        ? already(tenant, saga.sagaId)
        : refuse(
            tenant,
            "end-commanded",
            `the old credentials of tenant ${tenant.slug} are being ended: their overlap is over`,
          );
  }
  return refuse(
    tenant,
    "being-undone",
    `the rotation of tenant ${tenant.slug} is being undone (saga ${saga.sagaId}): the old credentials stay`,
  );
};

const overlapOf = (batch: Batch, { overlapMs }: TenantAct): number => overlapMs ?? batch.settings.overlapMs;

/** So long after its beginning: what lies in the past already is now. */
const moveEnd = (batch: Batch, act: TenantAct, saga: Saga, { tenant }: Parts): void => {
  const overlapMs = overlapOf(batch, act);
  const beganMs = Date.parse(saga.request.act?.rotation?.beganAt ?? batch.now.toISOString());
  tellOverlap(saga, overlapMs);
  tell(saga, { by: act.by, reason: act.reason });
  setOverlap(batch, saga, tenant, Math.max(beganMs + overlapMs, batch.now.getTime()));
  batch.changedSagas.add(saga);
};

const tellOverlap = (saga: Saga, overlapMs: number): void => {
  const rotation = saga.request.act?.rotation;
  if (rotation !== undefined) tell(saga, { rotation: { ...rotation, overlapMs } });
};
