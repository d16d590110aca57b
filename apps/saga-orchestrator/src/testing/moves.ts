import { type Reply, unreachable } from "@deeplens/contracts";
import { applyAct } from "../saga/acts.ts";
import { startSaga } from "../saga/advance.ts";
import { applyReply } from "../saga/replies.ts";
import { settleTimer, workOf } from "../saga/saga.ts";
import { fireTimers } from "../saga/timers.ts";
import { provisionKind } from "./provision-kind.ts";
import {
  type Budget,
  closeWorld,
  type Echo,
  type Effect,
  newestFence,
  olderFence,
  openWorld,
  type Purse,
  sagaId,
  settingsOf,
  tenantId,
  type World,
} from "./world.ts";

/** `free` happens by itself in time; `fault` is paid from the budget; `act` takes a person. */
export type MoveKind = "free" | "fault" | "act";

export interface Move {
  readonly kind: MoveKind;
  readonly name: string;
  readonly happens: Happens;
  readonly pays?: { readonly from: keyof Budget; readonly step: string };
  /** The reply that this move delivers stays on its way, to come once more. */
  readonly leavesEcho?: true;
}

type Happens =
  | { readonly what: "reply"; readonly echo: Echo; readonly pivot: string; readonly takesEcho: boolean }
  | { readonly what: "timer"; readonly timer: string }
  | { readonly what: "act"; readonly act: "retry" | "resume" | "abort"; readonly step?: string };

/** A command that a move sent. */
export interface SentCommand {
  readonly step: string;
  readonly work: "do" | "undo" | "look";
  readonly fence: number;
}

export interface Moved {
  readonly world: World;
  readonly sent: readonly SentCommand[];
}

const steps = provisionKind.table.map(({ step }) => step);

/** A world in which the saga was just requested. */
export const firstWorld = (leftOut: readonly string[], budget: Budget, attempts: number): Moved => {
  const blank: World = {
    state: {},
    leftOut,
    steps: Object.fromEntries(
      steps.map((step) => [step, { fence: 0, attempts: { do: 0, undo: 0, look: 0 } }]),
    ),
    timers: {},
    tenantState: "provisioning",
    hasError: false,
    released: false,
    budget,
    echoes: [],
    effects: Object.fromEntries(steps.map((step): [string, Effect] => [step, "never"])),
    superseded: [],
    pivotDisclaimed: false,
    announced: [],
  };
  const opened = openWorld(blank, settingsOf(attempts));
  startSaga(opened.batch, opened.saga, { event: "requested", step: null, fence: null });
  return finish(blank, opened, attempts, {});
};

/** Everything that may happen next. */
export const movesOf = (world: World): Move[] => {
  const { budget, state, timers, echoes, superseded } = world;
  const moves: Move[] = [];
  const reply = (step: string, record: Echo["record"], permanent = false, pivot = "unknown"): Happens => ({
    what: "reply",
    echo: { step, record, permanent, fence: newestFence },
    pivot,
    takesEcho: false,
  });
  for (const step of steps) {
    const timer = timers[step];
    if (timer?.kind === "backOff")
      moves.push({ kind: "free", name: `back-off of ${step} over`, happens: { what: "timer", timer: step } });
    if (timer?.kind !== "deadline") continue;
    const work = workNow(state, step);
    moves.push({
      kind: "free",
      name: `${work} of ${step} succeeds`,
      happens: reply(step, work === "do" ? "StepCompleted" : "StepCompensated"),
    });
    const failed = work === "do" ? "StepFailed" : "StepCompensationFailed";
    const fault = (name: string, happens: Happens): number =>
      moves.push({
        kind: "fault",
        pays: { from: "failures", step },
        name: `${work} of ${step} ${name}`,
        happens,
      });
    fault("fails", reply(step, failed));
    fault("fails for good", reply(step, failed, true));
    if (work === "do" && step === "identity") fault("is refused", reply(step, failed, true, "refused"));
    fault("times out", { what: "timer", timer: step });
  }
  if (timers[settleTimer] !== undefined)
    moves.push({ kind: "free", name: "settle time over", happens: { what: "timer", timer: settleTimer } });
  for (const step of superseded)
    moves.push({
      kind: "fault",
      pays: { from: "lates", step },
      name: `late completion of ${step}`,
      happens: {
        what: "reply",
        echo: { step, record: "StepCompleted", permanent: false, fence: olderFence },
        pivot: "",
        takesEcho: false,
      },
    });
  for (const echo of echoes)
    moves.push({
      kind: "fault",
      name: `${echo.record} of ${echo.step} comes again`,
      happens: { what: "reply", echo, pivot: "unknown", takesEcho: true },
    });
  if (state.course === "forward")
    moves.push({
      kind: "fault",
      pays: { from: "failures", step: "any" },
      name: "abort",
      happens: { what: "act", act: "abort" },
    });
  if (state.course?.startsWith("stuck")) {
    moves.push({ kind: "act", name: "resume", happens: { what: "act", act: "resume" } });
    for (const step of steps)
      if (["uncertain", "undoFailed", "lookFailed"].includes(state[step] ?? ""))
        moves.push({ kind: "act", name: `retry ${step}`, happens: { what: "act", act: "retry", step } });
  }
  const payable = moves.filter(({ pays }) => pays === undefined || affords(budget[pays.from], pays.step));
  const echoing = payable
    .filter(
      ({ happens }) =>
        happens.what === "reply" && !happens.takesEcho && affords(budget.duplicates, happens.echo.step),
    )
    .map((move): Move => ({ ...move, name: `${move.name}, and will come again`, leavesEcho: true }));
  return [...payable, ...echoing];
};

const purseOf = (purse: Purse, step: string): string => (step in purse ? step : "any");
const affords = (purse: Purse, step: string): boolean => (purse[purseOf(purse, step)] ?? 0) > 0;
const pay = (budget: Budget, from: keyof Budget, step: string): Budget => {
  const purse = purseOf(budget[from], step);
  return { ...budget, [from]: { ...budget[from], [purse]: (budget[from][purse] ?? 0) - 1 } };
};

/** The world after the move, by the code that runs in production. */
export const moveOn = (world: World, move: Move, attempts: number): Moved => {
  const { happens } = move;
  const settings = settingsOf(attempts);
  switch (happens.what) {
    case "timer": {
      const opened = openWorld(world, settings, happens.timer);
      fireTimers(opened.batch, opened.saga);
      return finish(world, opened, attempts, { move });
    }
    case "act": {
      const opened = openWorld(world, settings);
      const { act, step } = happens;
      const named = step === undefined ? {} : { step };
      applyAct(opened.batch, {
        kind: "act",
        act,
        sagaId,
        tenantId,
        ...named,
        by: "tester",
        reason: "a test",
      });
      return finish(world, opened, attempts, { move });
    }
    case "reply": {
      const opened = openWorld(world, settings);
      applyReply(opened.batch, opened.saga, replyOf(happens));
      return finish(world, opened, attempts, { move });
    }
    default:
      return unreachable(happens);
  }
};

const workNow = (state: World["state"], step: string): "do" | "undo" | "look" => workOf(state[step]);

const replyOf = ({ echo, pivot }: Extract<Happens, { what: "reply" }>): Reply => {
  const { step, fence, permanent } = echo;
  const common = {
    sagaId,
    tenantId,
    slug: "acme",
    step,
    fence,
    attempt: 1,
    occurredAt: "2026-01-01T00:00:00Z",
  };
  switch (echo.record) {
    case "StepCompleted":
      return {
        record: "StepCompleted",
        value: { ...common, outputs: {}, resources: [], receipt: [], durationMs: 1, calls: [] },
      };
    case "StepFailed":
      return {
        record: "StepFailed",
        value: { ...common, permanent, code: "broken", message: "broken", pivot },
      };
    case "StepCompensated":
      return { record: "StepCompensated", value: { ...common, receipt: [], durationMs: 1 } };
    case "StepCompensationFailed":
      return {
        record: "StepCompensationFailed",
        value: { ...common, permanent, code: "broken", message: "broken" },
      };
    default:
      return unreachable(echo.record);
  }
};

/** Pays for the move, and notes what it did to the world outside. */
const finish = (
  world: World,
  opened: ReturnType<typeof openWorld>,
  attempts: number,
  { move }: { move?: Move },
): Moved => {
  const sent: SentCommand[] = [];
  const announced = new Set(world.announced);
  for (const { message } of opened.batch.outbox) {
    if (message.record === "TenantRequested")
      sent.push({ step: message.value.step, work: "do", fence: message.value.fence });
    else if (message.record === "TenantRollbackRequested") {
      const work = message.value.purpose === "compensate" ? "undo" : "look";
      sent.push({ step: message.value.step, work, fence: message.value.fence });
    } else if (message.record === "TenantProvisioned" || message.record === "TenantProvisioningFailed")
      announced.add(message.record);
  }
  const effects = { ...world.effects };
  const superseded = new Set(world.superseded);
  const delivered = move?.happens.what === "reply" ? move.happens : undefined;
  if (delivered !== undefined) {
    const { step, record, fence } = delivered.echo;
    if (record === "StepCompensated" && fence === newestFence) effects[step] = "gone";
    // A late completion alone says that something landed after the undo; an echo is old news.
    if (record === "StepCompleted" && !delivered.takesEcho) effects[step] = "perhaps";
  }
  for (const { step, work } of sent) {
    if (work === "do") effects[step] = "perhaps";
    if ((world.steps[step]?.fence ?? 0) > 0) superseded.add(step);
  }
  const paid = move?.pays === undefined ? world.budget : pay(world.budget, move.pays.from, move.pays.step);
  const echoes = world.echoes.filter((echo) => !delivered?.takesEcho || echo !== delivered.echo);
  const refused = delivered?.pivot === "refused";
  const next = closeWorld(
    opened,
    {
      budget: move?.leavesEcho && delivered ? pay(paid, "duplicates", delivered.echo.step) : paid,
      echoes: move?.leavesEcho && delivered ? [...echoes, delivered.echo] : echoes,
      effects,
      superseded: steps.filter((step) => superseded.has(step)),
      pivotDisclaimed: world.pivotDisclaimed || refused,
      announced: [...announced].sort(),
    },
    attempts,
  );
  return { world: next, sent };
};
