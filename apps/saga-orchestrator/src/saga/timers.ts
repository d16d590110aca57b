import { advanceSaga, record } from "./advance.ts";
import type { Batch } from "./batch.ts";
import { partOf, workMsOf } from "./commands.ts";
import { applySilence } from "./replies.ts";
import { releaseTimer, type Saga, settleTimer } from "./saga.ts";

/** Fires every timer of the saga that is due. A timer whose fence is not its step's newest is dropped. */
export const fireTimers = (batch: Batch, saga: Saga): void => {
  const nowMs = batch.now.getTime();
  for (const [name, timer] of Object.entries(saga.timers)) {
    if (timer.dueMs > nowMs || saga.timers[name] !== timer) continue;
    delete saga.timers[name];
    batch.changedSagas.add(saga);
    if (name === settleTimer) {
      advanceSaga(batch, saga, { type: "settleDue" }, { event: "settle time over", step: null, fence: null });
      continue;
    }
    if (name === releaseTimer) {
      advanceSaga(batch, saga, { type: "releaseDue" }, { event: "name released", step: null, fence: null });
      continue;
    }
    const happened = { step: name, fence: timer.fence };
    if (timer.fence !== saga.steps[name]?.fence) record(batch, saga, { ...happened, event: "timer (stale)" });
    else if (timer.kind === "wait")
      advanceSaga(batch, saga, { type: `elapsed.${name}` }, { ...happened, event: "waited long enough" });
    else if (timer.kind === "backOff")
      advanceSaga(batch, saga, { type: `retryDue.${name}` }, { ...happened, event: "back-off over" });
    else
      applySilence(
        batch,
        saga,
        name,
        { ...happened, event: "deadline passed" },
        silenceOf(batch, saga, name),
      );
  }
};

const silenceOf = (batch: Batch, saga: Saga, step: string): { code: string; message: string } => {
  const worker = `${partOf(batch, saga, step)} worker`;
  return saga.steps[step]?.startedAt === undefined
    ? {
        code: "worker-not-running",
        message: `no worker began ${step} of tenant ${saga.slug} within ${batch.settings.waitMs / 1_000} s; see that the ${worker} runs and is ready`,
      }
    : {
        code: "step-timed-out",
        message: `${step} of tenant ${saga.slug} was begun and not finished within ${workMsOf(batch, saga, step) / 1_000} s; see the ${worker}'s log`,
      };
};
