import type { Saga } from "../saga/saga.ts";
import { nextDueMs } from "../saga/saga.ts";
import type { TimerInput } from "./inputs.ts";

/** When a saga's earliest timer is due, in ms since the epoch. */
export interface DueSaga {
  readonly sagaId: string;
  readonly shard: number;
  readonly dueMs: number;
}

export interface Timetable {
  /** What the table says of these shards' sagas: replaces all that is known of them, and of every other shard. */
  replace(rows: readonly DueSaga[]): void;
  /** Sagas as they were just committed. */
  note(sagas: Iterable<Saga>): void;
  /** A saga that is not there any more. */
  forget(sagaId: string): void;
  /** Sagas of these shards with a timer that is due, the longest due first, `limit` at most. They stay until noted anew. */
  due(shards: readonly number[], nowMs: number, limit: number): TimerInput[];
  /** Nothing is due before this, in ms since the epoch; infinity where nothing is known. */
  notBeforeMs(): number;
}

/**
 * The due times of the shards that this process owns, kept in memory beside the table that holds them: nobody else
 * writes sagas of these shards, so no query need ask for what is due, and no index need follow what changes with every
 * event. It is read from the table after each take-over, after each transaction that failed, and once a minute.
 */
export const createTimetable = (): Timetable => {
  let sagas = new Map<string, DueSaga>();
  // No saga is due before: most looks end here.
  let earliestMs = Number.POSITIVE_INFINITY;

  const put = (saga: DueSaga): void => {
    sagas.set(saga.sagaId, saga);
    earliestMs = Math.min(earliestMs, saga.dueMs);
  };

  return {
    replace: (rows) => {
      sagas = new Map();
      earliestMs = Number.POSITIVE_INFINITY;
      for (const row of rows) put(row);
    },
    note: (changed) => {
      for (const saga of changed) {
        const dueMs = nextDueMs(saga);
        if (dueMs === null) sagas.delete(saga.sagaId);
        else put({ sagaId: saga.sagaId, shard: saga.shard, dueMs });
      }
    },
    forget: (sagaId) => void sagas.delete(sagaId),
    notBeforeMs: () => earliestMs,
    due: (shards, nowMs, limit) => {
      if (nowMs < earliestMs) return [];
      const due = [...sagas.values()].filter(({ dueMs }) => dueMs <= nowMs);
      earliestMs = [...sagas.values()].reduce(
        (least, { dueMs }) => Math.min(least, dueMs),
        Number.POSITIVE_INFINITY,
      );
      return due
        .filter(({ shard }) => shards.includes(shard))
        .sort((a, b) => a.dueMs - b.dueMs)
        .slice(0, limit)
        .map(({ sagaId, shard }) => ({ from: "timer", shard, sagaId }));
    },
  };
};
