import { type Slug, tenantIdOf } from "@deeplens/contracts";
import type { MachineState } from "../machine/advance.ts";
import { newBatch } from "../saga/batch.ts";
import { type Saga, type StepRecord, statusOf, type TenantState, type Timer } from "../saga/saga.ts";
import { defaultSettings, type SagaSettings } from "../saga/settings.ts";
import { provisionKind } from "./provision-kind.ts";

/** What a step has left in the world outside, as far as anybody can tell. */
export type Effect = "never" | "perhaps" | "gone";

/** A reply that was delivered once and will come again. */
export interface Echo {
  readonly step: string;
  readonly record: "StepCompleted" | "StepFailed" | "StepCompensated" | "StepCompensationFailed";
  readonly permanent: boolean;
  readonly fence: number;
}

/** How many of each may still happen: to a step by its name, or to whichever it is (`any`). */
export interface Budget {
  readonly failures: Purse;
  readonly duplicates: Purse;
  readonly lates: Purse;
}
export type Purse = Readonly<Record<string, number>>;

/**
 * One saga and what is on its way to it, as plain data without texts and times: two worlds that no event can tell
 * apart have the same JSON. Fences are told apart as the code does it, by "the step's newest or not".
 */
export interface World {
  readonly state: MachineState;
  readonly leftOut: readonly string[];
  readonly steps: Readonly<Record<string, Pick<StepRecord, "fence" | "attempts">>>;
  readonly timers: Readonly<Record<string, Timer>>;
  readonly tenantState: TenantState;
  readonly hasError: boolean;
  readonly released: boolean;
  readonly budget: Budget;
  readonly echoes: readonly Echo[];
  /** What no code sees and the invariants speak of. */
  readonly effects: Readonly<Record<string, Effect>>;
  /** Steps of which a do-command is out that is no longer the newest: its completion may still come. */
  readonly superseded: readonly string[];
  /** The pivot's own word that nothing was done. */
  readonly pivotDisclaimed: boolean;
  readonly announced: readonly string[];
}

export const newestFence = 10;
export const olderFence = 9;
const never: Timer = { kind: "deadline", dueMs: 0, fence: 0 };
const now = new Date("2026-01-01T00:00:00.000Z");
/** When a timer that is not to fire now is due, and when one that is. */
export const laterMs = now.getTime() + 1;
export const dueMs = now.getTime();

const slug = "acme" as Slug;
const source = "/tests";
const requestId = "r1";
export const tenantId = tenantIdOf(source, requestId);
export const sagaId = "00000000-0000-4000-8000-000000000001";

export const settingsOf = (attempts: number): SagaSettings => ({ ...defaultSettings, attempts });

/** The world as a batch that was just read; `firing` names the timer that is due, if any. */
export const openWorld = (world: World, settings: SagaSettings, firing?: string) => {
  const saga: Saga = {
    sagaId,
    tenantId,
    slug,
    shard: 0,
    kind: "provision",
    status: world.state.course === undefined ? "running" : statusOf(world.state),
    machineVersion: provisionKind.machineVersion,
    version: 1,
    state: world.state,
    facts: { leftOut: world.leftOut },
    steps: Object.fromEntries(
      Object.entries(world.steps).map(([step, { fence, attempts }]) => [
        step,
        { fence, attempts: { ...attempts } },
      ]),
    ),
    timers: Object.fromEntries(
      Object.entries(world.timers).map(([name, timer]) => [
        name,
        { ...timer, dueMs: name === firing ? dueMs : laterMs },
      ]),
    ),
    ...(world.hasError ? { error: { step: "", code: "first", message: "the first cause" } } : {}),
    request: {
      source,
      requestId,
      spec: {
        name: "Acme",
        slug,
        tier: "free",
        storage: { type: world.leftOut.includes("storage") ? "none" : "deeplens" },
        administrator: { email: "a@example.com", firstName: "A", lastName: "A" },
      },
    },
    createdAt: now.toISOString(),
  };
  const tenant = {
    tenantId,
    slug,
    shard: 0,
    name: "Acme",
    state: world.tenantState,
    revision: 1,
    tier: "free",
    storageType: saga.request.spec.storage.type,
    resources: {},
    acts: {},
    source,
    requestId,
    createdAt: saga.createdAt,
  };
  const reservation = { slug, tenantId, sagaId, fence: newestFence, released: world.released };
  const batch = newBatch(
    { now, installation: "deeplens", shards: 1, settings, kind: provisionKind },
    {
      sagas: new Map([[sagaId, saga]]),
      tenants: new Map([[tenantId, tenant]]),
      reservations: new Map([[slug, reservation]]),
    },
  );
  return { batch, saga, tenant, reservation };
};

/** What of the batch's saga tells one world from another, in one order. */
export const closeWorld = (
  { saga, tenant, reservation }: ReturnType<typeof openWorld>,
  rest: Pick<World, "budget" | "echoes" | "effects" | "superseded" | "pivotDisclaimed" | "announced">,
  attemptsLimit: number,
): World => {
  const isNewest = (step: string, fence: number): number =>
    fence === saga.steps[step]?.fence ? newestFence : olderFence;
  const capped = (count: number): number => Math.min(count, attemptsLimit);
  return {
    state: saga.state,
    leftOut: saga.facts.leftOut,
    steps: Object.fromEntries(
      Object.entries(saga.steps).map(([step, { fence, attempts }]) => [
        step,
        {
          fence: fence === 0 ? 0 : newestFence,
          attempts: {
            do: capped(attempts.do),
            undo: capped(attempts.undo),
            look: capped(attempts.look),
          },
        },
      ]),
    ),
    timers: Object.fromEntries(
      Object.keys(saga.timers)
        .sort()
        .map((name) => {
          const { kind, fence } = saga.timers[name] ?? never;
          return [name, { kind, dueMs: 0, fence: kind === "settle" ? 0 : isNewest(name, fence) }];
        }),
    ),
    tenantState: tenant.state,
    hasError: saga.error !== undefined,
    released: reservation.released,
    ...rest,
    echoes: rest.echoes
      .map((echo) => ({ ...echo, fence: isNewest(echo.step, echo.fence) }))
      .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
  };
};
