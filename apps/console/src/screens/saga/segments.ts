import type { Answer } from "../../api/call.ts";

export type HistoryEntry = Answer<"GET /v1/sagas/{sagaId}/history">["items"][number];

/** A span in which a step was in one state. */
export interface Segment {
  readonly region: string;
  readonly state: string;
  readonly fromMs: number;
  /** Undefined: it is in it now. */
  readonly toMs: number | undefined;
}

type Moves = Readonly<Record<string, readonly [string | null, string]>>;

/** What moved at an entry of the history, by region: the state before and the one after. */
export const movesOf = ({ body }: HistoryEntry): Moves =>
  typeof body.moved === "object" && body.moved !== null ? (body.moved as Moves) : {};

// In these nothing happens to a step, and nothing is waited for.
const resting = new Set([
  "pending",
  "standby",
  "untouched",
  "skipped",
  "done",
  "undone",
  "failed",
  "undoFailed",
  "lookFailed",
  "confirmed",
  "halted",
]);

/** The time that each step of a saga spent in each state of work, in order; resting states have no segment. */
export const segmentsOf = (history: readonly HistoryEntry[]): readonly Segment[] => {
  const open = new Map<string, { state: string; fromMs: number }>();
  const segments: Segment[] = [];
  const close = (region: string, toMs: number | undefined): void => {
    const last = open.get(region);
    if (last !== undefined && !resting.has(last.state)) segments.push({ region, ...last, toMs });
  };
  for (const entry of history) {
    const atMs = Date.parse(entry.at);
    for (const [region, [, state]] of Object.entries(movesOf(entry))) {
      if (region === "course") continue;
      close(region, atMs);
      open.set(region, { state, fromMs: atMs });
    }
  }
  for (const region of open.keys()) close(region, undefined);
  return segments;
};
