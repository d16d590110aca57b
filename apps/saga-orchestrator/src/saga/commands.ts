import { commandsTopic, requestOfModel } from "@deeplens/contracts";
import { type Batch, partsOf } from "./batch.ts";
import { after } from "./hybrid-clock.ts";
import { outputsOf, type Saga, stepOf, type Work } from "./saga.ts";

/** Commands a worker: a new fence, one more attempt, a deadline, and the message in the outbox. */
export const sendCommand = (batch: Batch, saga: Saga, step: string, work: Work): void => {
  const { reservation } = partsOf(batch, saga);
  const stepRecord = stepOf(saga, step);
  const nowMs = batch.now.getTime();
  reservation.fence = after(reservation.fence, batch.now);
  batch.changedReservations.add(reservation);
  stepRecord.fence = reservation.fence;
  stepRecord.attempts[work] += 1;
  stepRecord.commandedAt = batch.now.toISOString();
  delete stepRecord.startedAt;
  delete stepRecord.progress;
  saga.timers[step] = { kind: "deadline", dueMs: nowMs + batch.settings.waitMs, fence: stepRecord.fence };
  const { spec } = saga.request;
  const common = {
    sagaId: saga.sagaId,
    tenantId: saga.tenantId,
    slug: saga.slug,
    step,
    fence: stepRecord.fence,
    attempt: stepRecord.attempts[work],
    workMs: batch.settings.workMs,
    expiresAt: new Date(nowMs + batch.settings.waitMs).toISOString(),
    name: spec.name,
  };
  batch.outbox.push({
    shard: saga.shard,
    topic: commandsTopic(step),
    key: saga.slug,
    tenantId: saga.tenantId,
    sagaId: saga.sagaId,
    step,
    fence: stepRecord.fence,
    message:
      work === "do"
        ? {
            record: "TenantRequested",
            value: {
              ...common,
              tier: spec.tier,
              storageType: spec.storage.type,
              storage: spec.storage.type === "byos" ? requestOfModel(spec.storage) : null,
              administrator: spec.administrator,
              inputs: outputsOf(saga),
            },
          }
        : {
            record: "TenantRollbackRequested",
            value: {
              ...common,
              purpose: work === "undo" ? "compensate" : "second-look",
              reason: saga.error?.message ?? "aborted by an operator",
            },
          },
  });
};
