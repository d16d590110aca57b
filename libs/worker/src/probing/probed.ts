import { type OperationDone, operationDone, PermanentStepError, type StepContext } from "../step.ts";

/** What was seen of one thing that is well: facts, as texts. */
export type Facts = Readonly<Record<string, string>>;

/** Looks at one thing as its tenant; throws where it is not what it should be. */
export type Look = (signal: AbortSignal) => Promise<Facts>;

const lookMs = 10_000;

/**
 * The answer of a part's operation `probe`: each thing of the part is looked at, all at once, and the answer says of each
 * whether it is well, how long it took, and what was seen: `redis.ok`, `redis.latencyMs`, `redis.version`. `ok`, `code`
 * and `reason` are the part's. Nothing is thrown for a thing that is ill: that is the finding.
 */
export const probed = async (
  context: StepContext,
  looks: Readonly<Record<string, Look>>,
): Promise<OperationDone> => {
  const seen = await Promise.all(Object.entries(looks).map(([name, look]) => probeOne(context, name, look)));
  const ill = seen.filter(({ ok }) => !ok);
  const outputs: Record<string, string> = { ok: String(ill.length === 0) };
  if (ill[0] !== undefined) {
    outputs.code = ill[0].code;
    outputs.reason = ill.map(({ name, reason }) => `${name}: ${reason}`).join("; ");
  }
  for (const { name, ok, latencyMs, code, reason, facts } of seen)
    for (const [key, value] of Object.entries({
      ok: String(ok),
      latencyMs: String(latencyMs),
      ...(ok ? facts : { code, reason }),
    }))
      outputs[`${name}.${key}`] = value;
  return operationDone([], outputs);
};

interface Seen {
  readonly name: string;
  readonly ok: boolean;
  readonly latencyMs: number;
  readonly code: string;
  readonly reason: string;
  readonly facts: Facts;
}

const probeOne = async (context: StepContext, name: string, look: Look): Promise<Seen> => {
  const began = performance.now();
  const latencyMs = (): number => Math.round(performance.now() - began);
  try {
    const facts = await context.call(`look at ${name}`, look, { timeoutMs: lookMs });
    return { name, ok: true, latencyMs: latencyMs(), code: "", reason: "", facts };
  } catch (error) {
    const { code, reason } = told(name, error);
    return { name, ok: false, latencyMs: latencyMs(), code: `${name}-${code}`, reason, facts: {} };
  }
};

const told = (name: string, error: unknown): { code: string; reason: string } => {
  const reason = error instanceof Error && error.message !== "" ? error.message : `${name} did not answer`;
  // A drift is named by who saw it; all else by what was tried.
  return { code: error instanceof PermanentStepError ? error.code : "unreachable", reason };
};

/** A thing is there, and is not what it should be: `what` in words, for the tenant's operator. */
export const drift = (what: string): PermanentStepError => new PermanentStepError("drift", what);

/** A secret or a fact that an earlier step made is not there. */
export const needed = <Value>(value: Value | undefined, what: string): Value => {
  if (value !== undefined && value !== "") return value;
  throw new PermanentStepError("missing", `${what} is not there: it was made when the tenant was`);
};
