import type { Logger } from "@deeplens/telemetry";
import type { Batch } from "../saga/batch.ts";

/** Says what was committed: a line for each saga that takes another course, the rest for those who debug. */
export const logHistory = (log: Logger, { history, sagas }: Batch): void => {
  for (const { sagaId, event, step, fence, body } of history) {
    const saga = sagas.get(sagaId);
    const line = { tenant: saga?.slug, saga: sagaId, event, step, fence };
    const moved = body.moved as Readonly<Record<string, readonly [string | null, string]>> | undefined;
    if (moved?.course === undefined) log.debug({ ...line, moved }, "saga event");
    else if (saga?.status === "stuck")
      log.error({ ...line, error: saga.error }, "the saga is stuck: an operator's turn");
    else log.info({ ...line, course: moved.course[1], error: saga?.error }, `the saga is ${saga?.status}`);
  }
};
