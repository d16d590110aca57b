import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { type Answer, call } from "../../api/call.ts";
import { followEvents } from "../../api/events.ts";
import type { HistoryEntry } from "./segments.ts";

export type Saga = Answer<"GET /v1/sagas/{sagaId}">;

const isOver = new Set(["ready", "done", "undone", "rolled-back", "closed", "removed", "stuck", "waiting"]);

/** A saga and its history, live: read once, then what its stream of events brings. */
export const useSaga = (sagaId: string) => {
  const queries = useQueryClient();
  const saga = useQuery({
    queryKey: ["saga", sagaId],
    queryFn: ({ signal }) => call("GET /v1/sagas/{sagaId}", { path: { sagaId }, signal }),
  });
  const history = useQuery({
    queryKey: ["history", sagaId],
    queryFn: ({ signal }) => readHistory(sagaId, signal),
  });
  const status = saga.data?.status;
  const goesOn = status !== undefined && !isOver.has(status);
  useEffect(() => {
    if (!goesOn) return;
    const gone = new AbortController();
    void followEvents(
      `/v1/sagas/${encodeURIComponent(sagaId)}/events`,
      ({ event, data }) => {
        if (event === "saga") queries.setQueryData(["saga", sagaId], JSON.parse(data) as Saga);
        if (event === "history")
          queries.setQueryData(["history", sagaId], (known: readonly HistoryEntry[] | undefined) =>
            withEntry(known ?? [], JSON.parse(data) as HistoryEntry),
          );
        if (event === "end") void queries.invalidateQueries({ queryKey: ["saga", sagaId] });
      },
      gone.signal,
    );
    return () => gone.abort();
  }, [sagaId, goesOn, queries]);
  return { saga, history };
};

const withEntry = (known: readonly HistoryEntry[], entry: HistoryEntry): readonly HistoryEntry[] =>
  known.some(({ id }) => id === entry.id) ? known : [...known, entry].sort((a, b) => a.id - b.id);

const readHistory = async (sagaId: string, signal: AbortSignal): Promise<readonly HistoryEntry[]> => {
  const entries: HistoryEntry[] = [];
  for (let after: number | null = 0; after !== null; ) {
    const page: Answer<"GET /v1/sagas/{sagaId}/history"> = await call("GET /v1/sagas/{sagaId}/history", {
      path: { sagaId },
      query: { after, limit: 1_000 },
      signal,
    });
    entries.push(...page.items);
    after = page.next;
  }
  return entries;
};
