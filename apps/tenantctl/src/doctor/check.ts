import type { Patient } from "./patient.ts";

/** One thing that the doctor looks at. Checks only look: none changes anything. */
export interface Check {
  readonly name: string;
  /** Checks without whose answer this one can tell nothing: it is skipped where one of them got none. */
  readonly needs: readonly string[];
  /** What to do where it can't be asked at all. */
  readonly unanswered: (patient: Patient) => string;
  /** @throws where what it asks gives no answer */
  examine(patient: Patient, signal: AbortSignal): Promise<Observation>;
}

export interface Observation {
  /** What was seen, in a few words: "17.2, 23 of 297 connections". */
  readonly seen: string;
  readonly findings: readonly Finding[];
}

export interface Finding {
  /** `problem`: something does not work. `warning`: it will not, soon. */
  readonly severity: "problem" | "warning";
  readonly what: string;
  /** The command that mends it, or the act where no command can. */
  readonly mend: string;
}

export const problem = (what: string, mend: string): Finding => ({ severity: "problem", what, mend });
export const warning = (what: string, mend: string): Finding => ({ severity: "warning", what, mend });

/** What came of one check. */
export interface Examined {
  readonly check: string;
  /** `skipped`: what it needs gave no answer. */
  readonly status: "ok" | "warning" | "problem" | "skipped";
  readonly seen: string;
  readonly findings: readonly Finding[];
  readonly durationMs: number;
}
