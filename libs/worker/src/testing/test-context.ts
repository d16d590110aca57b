import type { StepName } from "@deeplens/contracts";
import type { TenantSecrets } from "@deeplens/secrets";
import { type MemorySecrets, memorySecrets } from "@deeplens/secrets/testing";
import { createLogger, type Logger } from "@deeplens/telemetry";
import { createCalls } from "../calls.ts";
import type { Ledger } from "../ledger.ts";
import type { StepContext, Tenant } from "../step.ts";
import { type MemoryLedger, memoryLedger } from "./memory-ledger.ts";

/** What a test's process dies of. Nothing that the step does afterwards takes effect. */
export class CrashError extends Error {
  constructor(where: string) {
    super(`the test's process died ${where}`);
    this.name = "CrashError";
  }
}

export interface TestContextOptions {
  readonly step: StepName;
  readonly tenant: Tenant;
  readonly installation?: string;
  /** 1 unless told. */
  readonly fence?: number;
  /** Dies instead of starting the n-th call (from 1); what was written before it stays. */
  readonly crashBeforeCall?: number;
  /** Dies when the effect of the n-th call (from 1) is done, before the step hears of it. */
  readonly crashAfterCall?: number;
  /** Give the same ones to the context of the next try: they survive a crash. */
  readonly ledger?: MemoryLedger;
  readonly secrets?: MemorySecrets;
  readonly signal?: AbortSignal;
  /** A minute from now unless told. */
  readonly deadline?: Date;
  readonly log?: Logger;
}

export interface TestContext extends StepContext {
  /** Names of the calls, in the order in which they began. */
  readonly calls: string[];
  readonly progressed: string[];
  /** Which calls began after something was written to the ledger or the secrets since the call before (from 1). */
  readonly afterWrites: ReadonlySet<number>;
}

/** The context of one try of a command, with everything in memory that is not the step's own. */
export const testContext = (options: TestContextOptions): TestContext => {
  const { step, tenant, installation = "deeplens-test", fence = 1 } = options;
  const calls: string[] = [];
  const progressed: string[] = [];
  const afterWrites = new Set<number>();
  const scope = { tenantId: tenant.tenantId, slug: tenant.slug, step, fence };
  const died = new AbortController();
  const signal = AbortSignal.any([died.signal, ...(options.signal === undefined ? [] : [options.signal])]);
  const real = createCalls({ signal, deadline: options.deadline ?? new Date(Date.now() + 60_000) });
  let written = false;

  const die = (where: string): never => {
    const crash = new CrashError(where);
    died.abort(crash);
    throw crash;
  };
  const alive = (): void => {
    if (died.signal.aborted) throw died.signal.reason;
  };
  const write = async <T>(work: () => Promise<T>): Promise<T> => {
    alive();
    const result = await work();
    written = true;
    alive();
    return result;
  };
  const call: StepContext["call"] = async (name, effect, callOptions) => {
    alive();
    const number = calls.push(name);
    if (written) afterWrites.add(number);
    written = false;
    if (number === options.crashBeforeCall) die(`before call ${number} (${name})`);
    const crashing = async (callSignal: AbortSignal) => {
      const result = await effect(callSignal);
      if (number === options.crashAfterCall) die(`after call ${number} (${name})`);
      return result;
    };
    try {
      return await real.call(name, crashing, callOptions);
    } finally {
      alive();
    }
  };
  return {
    ...{ installation, step, fence, signal, call, calls, progressed, afterWrites },
    log: options.log ?? createLogger("test", "silent"),
    ledger: mortalLedger((options.ledger ?? memoryLedger()).of(scope), write),
    secrets: mortalSecrets((options.secrets ?? memorySecrets()).of(tenant.tenantId, scope), write),
    progress: (message) => {
      progressed.push(message);
    },
  };
};

type Write = <T>(work: () => Promise<T>) => Promise<T>;

const mortalLedger = (ledger: Ledger, write: Write): Ledger => ({
  find: (key) => ledger.find(key),
  intend: (key, facts) => write(() => ledger.intend(key, facts)),
  made: (key, facts) => write(() => ledger.made(key, facts)),
  gone: (key) => write(() => ledger.gone(key)),
  mark: (sagaId) => write(() => ledger.mark(sagaId)),
  owned: () => ledger.owned(),
});

const mortalSecrets = (secrets: TenantSecrets, write: Write): TenantSecrets => ({
  ensure: (purpose, make) => write(() => secrets.ensure(purpose, make)),
  renew: (purpose, sagaId, make) => write(() => secrets.renew(purpose, sagaId, make)),
  alternate: (purpose, sagaId, make) => write(() => secrets.alternate(purpose, sagaId, make)),
  versions: (purpose) => secrets.versions(purpose),
  removeOlder: (purpose) => write(() => secrets.removeOlder(purpose)),
  withdraw: (purpose, sagaId) => write(() => secrets.withdraw(purpose, sagaId)),
  read: (purpose) => secrets.read(purpose),
  offered: (reference) => secrets.offered(reference),
  adopt: (reference, purpose) => write(() => secrets.adopt(reference, purpose)),
  remove: (purpose) => write(() => secrets.remove(purpose)),
});
