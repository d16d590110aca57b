import assert from "node:assert/strict";
import type { ReceiptLine, StepName } from "@deeplens/contracts";
import { type MemorySecrets, memoryFences, memorySecrets } from "@deeplens/secrets/testing";
import type { OperationDone, ProvisionCommand, StepDone, StepHandler, UndoCommand } from "../step.ts";
import { type MemoryLedger, memoryLedger } from "./memory-ledger.ts";
import { CrashError, type TestContext, type TestContextOptions, testContext } from "./test-context.ts";

/** One tenant's step on its real services; each case gets a fresh one (another slug), and disposes of it. */
export interface CrashFixture {
  readonly step: StepName;
  readonly handler: StepHandler;
  readonly command: ProvisionCommand;
  readonly installation?: string;
  /** Unless told: the rollback of the command's tenant. */
  readonly undo?: UndoCommand;
  /** Puts into the stores what is there before the command comes. */
  prepare?(stores: Stores): Promise<void>;
  /** Asserts that the tenant has all of the step, once, and can use it. */
  verifyWhole(done: StepDone, stores: Stores): Promise<void>;
  /** Asserts that nothing of it is left, by looking into the service. */
  verifyGone(receipt: readonly ReceiptLine[], stores: Stores): Promise<void>;
  /** Removes whatever a failed case left. */
  dispose?(): Promise<void>;
}

/** The ledger and the secrets of a case: they survive its crashes. */
export interface Stores {
  readonly ledger: MemoryLedger;
  readonly secrets: MemorySecrets;
}

export interface CrashPointOptions {
  /** Which stories to run; all of them unless told. */
  readonly stories?: readonly Story[];
  /** Skips the crashes at calls of these names: those that are looks repeated while something starts, say. */
  readonly without?: readonly string[];
}

/** `again`: crash, do it again, whole. `undo`: crash, undo, gone. `undo-again`: whole, undo crashes, undo again, gone. */
export type Story = "again" | "undo" | "undo-again";

/** What is needed of node:test's context. */
export interface Subtests {
  test(name: string, story: () => Promise<void>): Promise<void>;
}

type CrashPoint = Pick<TestContextOptions, "crashBeforeCall" | "crashAfterCall"> & { readonly name: string };

/**
 * Runs a step with a crash after each of its calls in turn (and before each call that follows a write to the ledger
 * or the secrets), each as a subtest named by the call. The calls are learned from one run that does not crash, which
 * also shows that twice is once. Of calls of one name in a row only the first is a crash point.
 *
 * @param freshFixture makes a new tenant with nothing of the step there
 */
export const crashPoints = async (
  t: Subtests,
  freshFixture: () => CrashFixture | Promise<CrashFixture>,
  { stories = ["again", "undo", "undo-again"], without = [] }: CrashPointOptions = {},
): Promise<void> => {
  let provisioning: readonly CrashPoint[] = [];
  let undoing: readonly CrashPoint[] = [];
  await t.test("twice is once, and undone twice is gone", () =>
    withRig(freshFixture, async (rig) => {
      const first = rig.context();
      await rig.fixture.verifyWhole(await rig.provision(first), rig.stores);
      await rig.fixture.verifyWhole(await rig.provision(rig.context()), rig.stores);
      const undo = rig.context({ fence: 2 });
      await rig.fixture.verifyGone(await rig.compensate(undo), rig.stores);
      await rig.fixture.verifyGone(await rig.compensate(rig.context({ fence: 3 })), rig.stores);
      provisioning = pointsOf(first, without);
      undoing = pointsOf(undo, without);
    }),
  );
  assert.notEqual(provisioning.length, 0, "the step makes no call, or its first run failed");

  if (stories.includes("again"))
    for (const point of provisioning)
      await t.test(`provision dies ${point.name}, then again: whole`, () =>
        withRig(freshFixture, async (rig) => {
          await crashing(rig.context(point), rig.provision);
          await rig.fixture.verifyWhole(await rig.provision(rig.context()), rig.stores);
        }),
      );
  if (stories.includes("undo"))
    for (const point of provisioning)
      await t.test(`provision dies ${point.name}, then undo: gone`, () =>
        withRig(freshFixture, async (rig) => {
          await crashing(rig.context(point), rig.provision);
          await rig.fixture.verifyGone(await rig.compensate(rig.context({ fence: 2 })), rig.stores);
        }),
      );
  if (stories.includes("undo-again"))
    for (const point of undoing)
      await t.test(`undo dies ${point.name}, then again: gone`, () =>
        withRig(freshFixture, async (rig) => {
          await rig.provision(rig.context());
          await crashing(rig.context({ ...point, fence: 2 }), rig.compensate);
          await rig.fixture.verifyGone(await rig.compensate(rig.context({ fence: 3 })), rig.stores);
        }),
      );
};

/** A crash fixture whose handler has a life's operations (life.ts). */
export interface LifeFixture extends CrashFixture {
  /** Asserts that every way in is refused, with the tenant's own credentials, and that its data are there. */
  verifySuspended(stores: Stores): Promise<void>;
}

/**
 * The same for a tenant's life: suspend, resume and purge, each with a crash at each of its calls and then again; a
 * suspend that crashed is resumed as well. `verifyGone` looks at the receipt of a purge.
 */
export const lifeCrashPoints = async (
  t: Subtests,
  freshFixture: () => LifeFixture | Promise<LifeFixture>,
  { without = [] }: Pick<CrashPointOptions, "without"> = {},
): Promise<void> => {
  const points = new Map<string, readonly CrashPoint[]>();
  // Each act is a command of its own, with the next fence.
  const lived = (rig: Rig<LifeFixture>) => {
    let fence = 1;
    const act = async (operation: string, options: Partial<TestContextOptions> = {}) => {
      fence += 1;
      const context = rig.context({ ...options, fence });
      let done: OperationDone | undefined;
      await crashing(context, async () => {
        done = await rig.operate(operation, context);
      });
      return { done, context };
    };
    const whole = async (): Promise<void> => {
      const { done } = await act("resume");
      assert.ok(done !== undefined);
      await rig.fixture.verifyWhole(done, rig.stores);
    };
    const gone = async (): Promise<void> => {
      const { done } = await act("purge");
      assert.ok(done !== undefined);
      await rig.fixture.verifyGone(done.receipt, rig.stores);
    };
    return { act, whole, gone };
  };

  await t.test("suspended twice, resumed twice, suspended and purged twice", () =>
    withRig(freshFixture, async (rig) => {
      await rig.provision(rig.context());
      const { act, whole, gone } = lived(rig);
      for (const operation of ["suspend", "suspend", "resume"]) {
        const { context } = await act(operation);
        points.set(operation, pointsOf(context, without));
        if (operation === "suspend") await rig.fixture.verifySuspended(rig.stores);
      }
      await whole();
      await act("suspend");
      points.set("purge", pointsOf((await act("purge")).context, without));
      await gone();
    }),
  );
  for (const operation of ["suspend", "resume", "purge"] as const) {
    assert.notEqual(
      points.get(operation)?.length ?? 0,
      0,
      `${operation} makes no call, or its first run failed`,
    );
    for (const point of points.get(operation) ?? [])
      await t.test(`${operation} dies ${point.name}, then again`, () =>
        withRig(freshFixture, async (rig) => {
          await rig.provision(rig.context());
          const { act, whole, gone } = lived(rig);
          if (operation !== "suspend") await act("suspend");
          await act(operation, point);
          if (operation === "resume") return whole();
          if (operation === "purge") return gone();
          await act("suspend");
          await rig.fixture.verifySuspended(rig.stores);
          await act("suspend", point);
          await whole();
        }),
      );
  }
};

interface Rig<F extends CrashFixture = CrashFixture> {
  readonly fixture: F;
  readonly stores: Stores;
  context(options?: Partial<TestContextOptions>): TestContext;
  provision(context: TestContext): Promise<StepDone>;
  compensate(context: TestContext): Promise<readonly ReceiptLine[]>;
  operate(operation: string, context: TestContext): Promise<OperationDone>;
}

const withRig = async <F extends CrashFixture>(
  freshFixture: () => F | Promise<F>,
  story: (rig: Rig<F>) => Promise<void>,
): Promise<void> => {
  const fixture = await freshFixture();
  const fences = memoryFences();
  const stores = { ledger: memoryLedger(fences), secrets: memorySecrets(fences) };
  await fixture.prepare?.(stores);
  const { step, handler, command, installation } = fixture;
  const { tenant } = command;
  const undo = fixture.undo ?? { tenant, purpose: "compensate", reason: "a test" };
  const raise = (fence: number): void => fences.raise({ slug: tenant.slug, step, fence });
  try {
    await story({
      fixture,
      stores,
      context: (options = {}) => {
        raise(options.fence ?? 1);
        const place = installation === undefined ? {} : { installation };
        return testContext({ step, tenant, ...place, ...stores, ...options });
      },
      provision: (context) => handler.provision(command, context),
      compensate: (context) => handler.compensate(undo, context),
      operate: (operation, context) => {
        const run = handler.operations?.[operation] ?? assert.fail(`no operation ${operation}`);
        const { tier, inputs, storage } = command;
        return run(
          {
            ...{ tenant, tier, inputs, operation },
            storage: storage.type,
            sagaId: "removal",
            parameters: {},
          },
          context,
        );
      },
    });
  } finally {
    await fixture.dispose?.();
  }
};

// A run that ends before its crash point (fewer looks while something started) is a run without a crash: fine as well.
const crashing = async (
  context: TestContext,
  run: (context: TestContext) => Promise<unknown>,
): Promise<void> => {
  try {
    await run(context);
  } catch (error) {
    if (!(context.signal.reason instanceof CrashError)) throw error;
  }
};

const pointsOf = (context: TestContext, without: readonly string[]): CrashPoint[] =>
  context.calls.flatMap((name, index) => {
    if (without.includes(name) || name === context.calls[index - 1]) return [];
    const number = index + 1;
    const before = { crashBeforeCall: number, name: `before call ${number} (${name}), after a write` };
    const after = { crashAfterCall: number, name: `after call ${number} (${name})` };
    return context.afterWrites.has(number) ? [before, after] : [after];
  });
