import { type Command, commandsTopic, requestOfModel, unreachable } from "@deeplens/contracts";
import type { OperationStep } from "../machine/act-table.ts";
import { actStepOf, type Batch, partsOf } from "./batch.ts";
import { after } from "./hybrid-clock.ts";
import { type ActTold, outputsOf, type Saga, stepOf, type Work } from "./saga.ts";

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
  const operation = operationOf(batch, saga, step);
  batch.outbox.push({
    shard: saga.shard,
    topic: commandsTopic(partOf(batch, saga, step)),
    key: saga.slug,
    tenantId: saga.tenantId,
    sagaId: saga.sagaId,
    step,
    fence: stepRecord.fence,
    message: commandOf(batch, saga, operation, work, {
      sagaId: saga.sagaId,
      tenantId: saga.tenantId,
      slug: saga.slug,
      step,
      fence: stepRecord.fence,
      attempt: stepRecord.attempts[work],
      workMs: workMsOf(batch, saga, step),
      expiresAt: new Date(nowMs + batch.settings.waitMs).toISOString(),
      name: saga.request.spec.name,
    }),
  });
};

/** How long the step's work may take once it was begun, in ms. */
export const workMsOf = (batch: Batch, saga: Saga, step: string): number =>
  operationOf(batch, saga, step)?.workMs ?? batch.settings.workMs;

/** The part whose worker does the step. */
export const partOf = (batch: Batch, saga: Saga, step: string): string =>
  operationOf(batch, saga, step)?.part ?? step;

const operationOf = (batch: Batch, saga: Saga, step: string): OperationStep | undefined => {
  const found = actStepOf(batch, saga, step);
  return found?.does === "operation" ? found : undefined;
};

type Common = Omit<Extract<Command, { record: "TenantRollbackRequested" }>["value"], "purpose" | "reason">;

const commandOf = (
  batch: Batch,
  saga: Saga,
  operation: OperationStep | undefined,
  work: Work,
  common: Common,
): Command => {
  const { request } = saga;
  if (request.act !== undefined) {
    if (operation === undefined) throw new Error(`step ${common.step} of ${saga.kind} is no operation`);
    const { spec, act } = request;
    return {
      record: "TenantOperationRequested",
      value: {
        ...common,
        ...asked(operation, work, act),
        inputs: { ...partsOf(batch, saga).tenant.resources, ...outputsOf(saga) },
        tier: spec.tier,
        storageType: spec.storage.type,
      },
    };
  }
  if (work !== "do")
    return {
      record: "TenantRollbackRequested",
      value: {
        ...common,
        purpose: work === "undo" ? "compensate" : "second-look",
        reason: saga.error?.message ?? "aborted by an operator",
      },
    };
  const { spec, leftInIdentity } = request;
  return {
    record: "TenantRequested",
    value: {
      ...common,
      tier: spec.tier,
      storageType: spec.storage.type,
      storage: spec.storage.type === "byos" ? requestOfModel(spec.storage) : null,
      administrator: spec.administrator,
      inputs:
        leftInIdentity === undefined
          ? outputsOf(saga)
          : { ...outputsOf(saga), "removed.identityTenantId": leftInIdentity },
    },
  };
};

/** The operation and what it is told. A purge that looks again says so: it confirms what the first one found. */
const asked = (
  step: OperationStep,
  work: Work,
  { reason, restore, tier, credentialRef }: ActTold,
): { operation: string; parameters: Record<string, string> } => {
  const told = {
    reason,
    ...restore,
    ...(credentialRef === undefined ? {} : { credentialRef }),
    ...(tier === undefined ? {} : { tier: work === "undo" ? tier.from : tier.to }),
  };
  switch (work) {
    case "do":
      return { operation: step.operation, parameters: { ...told, ...step.parameters } };
    case "look":
      return {
        operation: step.operation,
        parameters: { ...told, ...step.parameters, purpose: "second-look" },
      };
    case "undo":
      return {
        operation: step.undo?.operation ?? step.operation,
        parameters: { ...told, ...step.undo?.parameters },
      };
    default:
      return unreachable(work);
  }
};
