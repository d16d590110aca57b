import { setTimeout as delay } from "node:timers/promises";
import { type Check, type Examined, type Finding, problem } from "./check.ts";
import type { Patient } from "./patient.ts";

/**
 * Runs the checks at once, each as soon as those that it needs have an answer. A check that throws or takes longer than
 * `patienceMs` got none: that is a finding too, and what needs it is skipped.
 */
export const examineAll = async (
  checks: readonly Check[],
  patient: Patient,
  options: { patienceMs: number; signal: AbortSignal; onDone: (examined: Examined) => void },
): Promise<readonly Examined[]> => {
  const answers = new Map<string, Promise<Outcome>>();
  // A check that was not asked for counts as answered: nobody knows better.
  const silent = async (names: readonly string[]): Promise<string | undefined> => {
    for (const name of names) if ((await answers.get(name))?.answered === false) return name;
    return undefined;
  };
  const run = async (check: Check): Promise<Outcome> => {
    await delay(0); // all of them are in the map before the first one looks there
    const missing = await silent(check.needs);
    const outcome = missing === undefined ? await examine(check, patient, options) : skipped(check, missing);
    options.onDone(outcome.examined);
    return outcome;
  };
  for (const check of checks) answers.set(check.name, run(check));
  return (await Promise.all(answers.values())).map(({ examined }) => examined);
};

interface Outcome {
  readonly answered: boolean;
  readonly examined: Examined;
}

const examine = async (
  check: Check,
  patient: Patient,
  { patienceMs, signal }: { patienceMs: number; signal: AbortSignal },
): Promise<Outcome> => {
  const began = performance.now();
  const limit = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  const done = (answered: boolean, seen: string, findings: readonly Finding[]): Outcome => ({
    answered,
    examined: {
      check: check.name,
      status: worst(findings),
      seen,
      findings,
      durationMs: Math.round(performance.now() - began),
    },
  });
  try {
    const { seen, findings } = await orLate(check.examine(patient, limit), limit);
    return done(true, seen, findings);
  } catch (error) {
    const what = limit.aborted
      ? `${check.name} gave no answer within ${patienceMs / 1000} s`
      : reasonOf(error);
    return done(false, "no answer", [problem(what, check.unanswered(patient))]);
  }
};

// Not everything that is asked listens to a signal.
const orLate = <T>(work: Promise<T>, limit: AbortSignal): Promise<T> =>
  Promise.race([
    work,
    new Promise<never>((_, reject) => {
      limit.addEventListener("abort", () => reject(limit.reason), { once: true });
    }),
  ]);

const skipped = (check: Check, missing: string): Outcome => ({
  answered: false,
  examined: {
    check: check.name,
    status: "skipped",
    seen: `needs ${missing}, which gave no answer`,
    findings: [],
    durationMs: 0,
  },
});

const worst = (findings: readonly Finding[]): Examined["status"] => {
  if (findings.some(({ severity }) => severity === "problem")) return "problem";
  return findings.length > 0 ? "warning" : "ok";
};

// Of several addresses of one name each fails by itself, and the error that holds them says nothing.
const reasonOf = (error: unknown): string => {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(reasonOf).join("; ");
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? reasonOf(error.cause) : "";
  return error.message === "fetch failed" && cause !== "" ? cause : error.message;
};
