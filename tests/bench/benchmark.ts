import type { Flags, Values } from "./flags.ts";
import type { Measures } from "./statistics.ts";

export type Progress = (text: string) => void;

/** One thing that is measured, once a run. Where a benchmark compares several, `name` tells them apart; else it is "". */
export interface Variant {
  readonly name: string;
  run(progress: Progress): Promise<Measures>;
}

export interface Prepared {
  /** They take turns in every run, so that a noisy minute meets all of them. */
  readonly variants: readonly Variant[];
  /** The number by which the variants are compared with the first, run by run. */
  readonly compared?: string;
  /** Removes what the benchmark made; called whatever became of the runs. */
  end(): Promise<void>;
}

/** A line of the table in main.ts: what is needed to offer, explain and run a benchmark. */
export interface Benchmark {
  readonly about: string;
  /** How often it runs unless told. */
  readonly runs: number;
  /** Its own flags, beside --runs, --json and --help. */
  readonly flags: Flags;
  /** What it runs on, and what it leaves. */
  readonly notes: string;
  /** The flags of a typical call. */
  readonly example: string;
  /** @throws UsageError for flags that mean nothing */
  prepare(values: Values, progress: Progress): Promise<Prepared>;
}
