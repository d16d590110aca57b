import { setTimeout as delay } from "node:timers/promises";
import { finalStatuses, type SagaStatus } from "../saga/saga.ts";
import type { ApiContext } from "./context.ts";
import { findSaga, readHistory } from "./saga-store.ts";

const pollMs = 300;
const heartbeatMs = 15_000;
const entriesAtOnce = 500;

/** After these nothing more happens to a saga by itself that a follower waits for: a grace period is days long. */
const endings: ReadonlySet<string> = new Set<SagaStatus>([
  ...finalStatuses,
  "waiting",
  "stuck",
  "rolled-back",
  "removed",
]);

/**
 * The text of an event stream: what the history has after the entry `after`, then each new entry as it comes, the
 * saga itself after each change, and `end` when the saga came to its end. A database that does not answer for a
 * moment ends the stream; the reader comes again with its last id.
 */
export async function* sagaEvents(
  context: Pick<ApiContext, "db" | "log" | "settings">,
  sagaId: string,
  after: number,
  gone: AbortSignal,
): AsyncGenerator<string> {
  const { db, log } = context;
  let last = after;
  let version = -1;
  let quietSinceMs = performance.now();
  yield "retry: 1000\n\n";
  try {
    while (!gone.aborted) {
      // The saga first: entries that it already shows are then read for certain.
      const saga = await findSaga(context, sagaId);
      for (let more = true; more; ) {
        const entries = await readHistory(db, sagaId, last, entriesAtOnce);
        for (const entry of entries) {
          last = entry.id;
          yield event("history", entry, entry.id);
        }
        more = entries.length === entriesAtOnce;
        if (entries.length > 0) quietSinceMs = performance.now();
      }
      if (saga === undefined) return;
      if (saga.version !== version) {
        version = saga.version;
        yield event("saga", saga);
      }
      if (endings.has(saga.status)) {
        yield event("end", { status: saga.status });
        return;
      }
      if (performance.now() - quietSinceMs > heartbeatMs) {
        quietSinceMs = performance.now();
        yield ": heartbeat\n\n";
      }
      await delay(pollMs, undefined, { signal: gone });
    }
  } catch (error) {
    if (!gone.aborted) log.warn({ saga: sagaId, reason: (error as Error).message }, "an event stream broke");
  }
}

// JSON has no line breaks of its own, so one data line is enough.
const event = (name: string, data: unknown, id?: number): string =>
  `${id === undefined ? "" : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
