import type { CallTiming, ReceiptLine, Reply } from "@deeplens/contracts";
import type { Failure } from "./failures.ts";
import { type Order, undoes } from "./order.ts";
import type { OperationDone, StepDone } from "./step.ts";

const headOf = (order: Order, at: Date) => ({
  sagaId: order.sagaId,
  tenantId: order.tenantId,
  slug: order.slug,
  step: order.step,
  fence: order.fence,
  attempt: order.attempt,
  occurredAt: at.toISOString(),
});

export const completed = (
  order: Order,
  at: Date,
  done: StepDone & Partial<Pick<OperationDone, "receipt">>,
  work: { durationMs: number; calls: readonly CallTiming[] },
): Reply => ({
  record: "StepCompleted",
  value: {
    ...headOf(order, at),
    outputs: done.outputs,
    resources: done.resources,
    receipt: done.receipt ?? [],
    ...rounded(work),
  },
});

export const compensated = (
  order: Order,
  at: Date,
  receipt: readonly ReceiptLine[],
  durationMs: number,
): Reply => ({
  record: "StepCompensated",
  value: { ...headOf(order, at), receipt, durationMs: Math.round(durationMs) },
});

/** A failure of what the order asked: of the step, or of its undo. */
export const failed = (order: Order, at: Date, failure: Failure): Reply => {
  const { pivot, ...rest } = failure;
  return undoes(order)
    ? { record: "StepCompensationFailed", value: { ...headOf(order, at), ...rest } }
    : { record: "StepFailed", value: { ...headOf(order, at), ...rest, pivot } };
};

export const progressed = (order: Order, at: Date, progress: string, message: string): Reply => ({
  record: "StepProgressed",
  value: { ...headOf(order, at), progress, message },
});

const rounded = (work: { durationMs: number; calls: readonly CallTiming[] }) => ({
  durationMs: Math.round(work.durationMs),
  calls: work.calls.map(({ name, durationMs }) => ({ name, durationMs: Math.round(durationMs) })),
});
