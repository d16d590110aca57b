import { setTimeout as delay } from "node:timers/promises";
import { ApiProblem, ApiUnreachable } from "./api-errors.ts";
import type { HistoryEntry, Saga, SagaEvent } from "./api-types.ts";
import { parseEvents } from "./event-stream.ts";

export interface FollowOptions {
  readonly signal?: AbortSignal;
  /** Only history entries after this id. */
  readonly after?: number;
  /** How long the API may be away before following is given up, in ms; 60,000 unless told. */
  readonly patienceMs?: number;
  /** How long to wait before a stream is opened again, in ms; 1,000 unless told. */
  readonly pauseMs?: number;
}

/**
 * The events of a saga until its end. A stream that breaks off is opened again after the last entry that came, so
 * nothing is missed and nothing comes twice (but `saga`, which is the whole saga each time).
 *
 * @param open opens the stream after the entry with that id
 * @throws ApiProblem for a refusal; ApiUnreachable when the API was away for longer than `patienceMs`
 */
export async function* followSaga(
  open: (after: number, signal: AbortSignal | undefined) => Promise<AsyncIterable<string>>,
  { signal, after = 0, patienceMs = 60_000, pauseMs = 1_000 }: FollowOptions = {},
): AsyncGenerator<SagaEvent> {
  let last = after;
  let heardMs = performance.now();
  const stopped = (): boolean => signal?.aborted === true;
  while (!stopped()) {
    try {
      for await (const { id, event, data } of parseEvents(await open(last, signal))) {
        heardMs = performance.now();
        if (id !== undefined) last = Number(id);
        const parsed = sagaEventOf(event, JSON.parse(data));
        if (parsed !== undefined) yield parsed;
        if (parsed?.type === "end") return;
      }
    } catch (error) {
      if (stopped()) return;
      if (!canReopen(error) || performance.now() - heardMs > patienceMs) throw error;
    }
    // An abort ends the pause, and with it the loop.
    await delay(pauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
}

const sagaEventOf = (event: string, data: unknown): SagaEvent | undefined => {
  switch (event) {
    case "history":
      return { type: "history", entry: data as HistoryEntry };
    case "saga":
      return { type: "saga", saga: data as Saga };
    case "end":
      return { type: "end", status: (data as { status: string }).status };
    default:
      return undefined; // one that a newer API brought
  }
};

// A stream that breaks off in the middle shows as fetch's TypeError.
const canReopen = (error: unknown): boolean =>
  error instanceof ApiUnreachable ||
  error instanceof TypeError ||
  (error instanceof ApiProblem && error.problem.status === 503);
