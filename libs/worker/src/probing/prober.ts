import type { StepName } from "@deeplens/contracts";
import { createClient, type DatabaseAddress, type Pool } from "@deeplens/postgres";
import type { SecretStore } from "@deeplens/secrets";
import { pause } from "@deeplens/service";
import type { Logger } from "@deeplens/telemetry";
import { failureOf, publicText } from "../failures.ts";
import type { LedgerStore } from "../ledger-store.ts";
import { type Operation, PermanentStepError } from "../step.ts";
import { type DueProbe, type ProbeResult, putResult, takeDue } from "./probe-rows.ts";
import { readOnlyContext } from "./read-only.ts";

const atOnce = 4;
const probeMs = 20_000;
const againMs = 1_000;
const takenMs = 2 * probeMs + againMs + 10_000;
// Without a bell (its session broke) a look that is due waits so long.
const everyMs = 30_000;

export interface ProberOptions {
  readonly installation: string;
  readonly step: StepName;
  readonly probe: Operation;
  readonly pool: Pool;
  /** For the session that listens. */
  readonly address: DatabaseAddress;
  readonly ledger: LedgerStore;
  readonly secrets: SecretStore;
  readonly log: Logger;
}

/**
 * Looks at the part's tenants when they are due, some at once, in no saga and under no lock: a probe only reads, so it
 * may run beside a command and is never waited for.
 */
export const startProber = (options: ProberOptions): { stop(): Promise<void> } => {
  const { step, log, pool } = options;
  const ending = new AbortController();
  const { signal } = ending;
  const bell = listenForProbes(options.address, step, log, signal);
  const round = async (): Promise<number> => {
    const due = await takeDue(pool, step, atOnce, takenMs);
    await Promise.all(
      due.map(async (one) => {
        const result = await look(options, one, signal);
        // One that the stop of this process cut off saw nothing: another worker looks.
        if (!signal.aborted) await putResult(pool, step, one.tenant.tenantId, result, takenMs);
      }),
    );
    return due.length;
  };
  const running = (async () => {
    while (!signal.aborted) {
      const taken = await round().catch((error: Error) => {
        log.warn({ reason: error.message }, "tenants can't be looked at now");
        return 0;
      });
      if (taken < atOnce) await bell.rung(everyMs);
    }
  })();
  return {
    stop: async () => {
      ending.abort();
      await Promise.all([running, bell.ended]);
    },
  };
};

/** Looks once, and where a retry may help once more, for one lost packet is no illness. */
const look = async (options: ProberOptions, due: DueProbe, signal: AbortSignal): Promise<ProbeResult> => {
  const first = await lookOnce(options, due, signal);
  if (first.healthy || signal.aborted) return first;
  await pause(againMs, signal);
  return lookOnce(options, due, signal);
};

const lookOnce = async (
  options: ProberOptions,
  { tenant, tier, storage, inputs }: DueProbe,
  ending: AbortSignal,
): Promise<ProbeResult> => {
  const { installation, step, ledger, log, probe } = options;
  const seen = new Set<string>();
  const signal = AbortSignal.any([ending, AbortSignal.timeout(probeMs)]);
  const context = readOnlyContext({
    ...{ installation, step, tenant, ledger, log, seen, signal },
    secrets: options.secrets.of(tenant.tenantId),
    deadline: new Date(Date.now() + probeMs),
  });
  const command = { tenant, sagaId: "", operation: "probe", parameters: {}, inputs, tier, storage };
  try {
    const { outputs } = await probe(command, context);
    const { ok, code, reason, ...facts } = outputs;
    const clean = Object.fromEntries(
      Object.entries(facts).map(([name, value]) => [name, publicText(value, seen)]),
    );
    if (ok === "true") return { healthy: true, code: null, reason: null, facts: clean };
    return { healthy: false, code: code ?? "ill", reason: publicText(reason ?? "", seen), facts: clean };
  } catch (error) {
    const { code, message } = failureOf(error, seen);
    if (!(error instanceof PermanentStepError))
      log.info({ tenant: tenant.slug, reason: message }, "the tenant could not be looked at");
    return { healthy: false, code, reason: message, facts: {} };
  }
};

/** Rings when somebody wants a tenant looked at (migrations/0003-probes.sql). */
const listenForProbes = (
  address: DatabaseAddress,
  step: string,
  log: Logger,
  signal: AbortSignal,
): { rung(timeoutMs: number): Promise<void>; readonly ended: Promise<void> } => {
  let ring: () => void = () => undefined;
  let missed = false;
  const onRing = (): void => {
    missed = true;
    ring();
  };
  const listen = async (): Promise<void> => {
    const client = createClient(address, `${step}-worker probes`);
    const broken = Promise.withResolvers<void>();
    client.on("error", () => broken.resolve()).on("end", () => broken.resolve());
    client.on("notification", ({ payload }) => {
      if (payload === step) onRing();
    });
    const stop = (): void => broken.resolve();
    signal.addEventListener("abort", stop, { once: true });
    try {
      await client.connect();
      await client.query("LISTEN probes");
      onRing();
      if (!signal.aborted) await broken.promise;
    } finally {
      signal.removeEventListener("abort", stop);
      await client.end().catch(() => undefined); // it broke: there is nothing to end
    }
  };
  const ended = (async () => {
    while (!signal.aborted) {
      await listen().catch((error: Error) =>
        log.info({ reason: error.message }, "the wishes for looks can't be listened to now"),
      );
      if (!signal.aborted) await pause(againMs, signal);
    }
  })();
  return {
    ended,
    rung: (timeoutMs) =>
      new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          missed = false;
          ring = () => undefined;
          resolve();
        };
        const timer = setTimeout(done, timeoutMs);
        signal.addEventListener("abort", done, { once: true });
        ring = done;
        if (missed || signal.aborted) done();
      }),
  };
};
