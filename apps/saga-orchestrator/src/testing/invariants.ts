import { dependentsOf } from "../machine/table.ts";
import { type SagaStatus, settleTimer, statusOf } from "../saga/saga.ts";
import type { Move, Moved } from "./moves.ts";
import { provisionKind } from "./provision-kind.ts";
import type { World } from "./world.ts";

const { table } = provisionKind;
const steps = table.map(({ step }) => step);
const pivot = "identity";

interface Seen {
  readonly before: World;
  readonly move: Move | null;
  readonly after: World;
  readonly sent: Moved["sent"];
}

/** What must be true of every move and of the world that it leads to, in words. Each entry is true where it holds. */
export const invariants: Readonly<Record<string, (seen: Seen) => boolean>> = {
  "no step is commanded before the ones it waits for are done or left out": ({ after, sent }) =>
    sent
      .filter(({ work }) => work === "do")
      .every(({ step }) => afterOf(step).every((earlier) => isIn(after, earlier, "done", "skipped"))),

  "a step that the tenant has no use for is never commanded": ({ after }) =>
    after.leftOut.every((step) => after.effects[step] === "never"),

  "a step that was never commanded is never undone or looked after": ({ before, sent }) =>
    sent.every(({ step, work }) => work === "do" || before.effects[step] !== "never"),

  "the first undo of a step waits until nothing is left of the ones that came after it": ({
    before,
    sent,
    move,
  }) =>
    sent
      .filter(({ step, work }) => work === "undo" && isIn(before, step, "running", "done", "failed"))
      .every(({ step }) => dependentsOf(table, step).every((later) => gone(before, later, move))),

  "nothing is undone while a step may still be working on what it was told to do": ({ after, sent }) =>
    !sent.some(({ work }) => work !== "do") || steps.every((step) => !isIn(after, step, "running")),

  "once identity was commanded the saga is not rolled back, unless identity says that nothing was done": ({
    after,
  }) => after.effects[pivot] === "never" || after.pivotDisclaimed || !isOn(after, "draining", ...backwards),

  "ready: every step is done or left out, and the tenant and its readers were told": ({ after }) =>
    !isOn(after, "ready") ||
    (steps.every((step) => isIn(after, step, "done", "skipped")) &&
      after.tenantState === "ready" &&
      after.announced.join() === "TenantProvisioned"),

  "nobody is told both that a tenant is there and that it is not": ({ after }) => after.announced.length <= 1,

  "rolled back is said when every step that was ever commanded was undone": ({ before, after }) =>
    before.announced.length === after.announced.length ||
    !after.announced.includes("TenantProvisioningFailed") ||
    steps.every((step) => after.effects[step] !== "perhaps"),

  "closed only when a second look found nothing of any step that was commanded": ({ after }) =>
    !isOn(after, "closed") ||
    (after.tenantState === "rolled-back" &&
      after.announced.join() === "TenantProvisioningFailed" &&
      steps.every(
        (step) => isIn(after, step, "confirmed", "skipped", "untouched") && after.effects[step] !== "perhaps",
      )),

  "the slug is free when the saga is closed, and not before": ({ after }) =>
    after.released === isOn(after, "closed"),

  "a late completion of a step that was undone is answered by an undo, and the settle time starts again": ({
    before,
    after,
    sent,
    move,
  }) => {
    const late =
      move?.happens.what === "reply" && move.pays?.from === "lates" ? move.happens.echo.step : undefined;
    if (
      late === undefined ||
      !isIn(before, late, "undone", "looking", "lookBackingOff", "lookFailed", "confirmed")
    )
      return true;
    return (
      sent.some(({ step, work }) => step === late && work === "undo") &&
      (isOn(after, "compensating") || after.timers[settleTimer] !== undefined)
    );
  },

  "the second look begins only after the settle time": ({ before, sent, move }) =>
    !sent.some(({ step, work }) => work === "look" && isIn(before, step, "undone")) ||
    (move?.happens.what === "timer" && move.happens.timer === settleTimer),

  "what is not final has a timer, or is stuck for a reason": ({ after }) =>
    isOn(after, "ready", "closed") ||
    Object.keys(after.timers).length > 0 ||
    (isOn(after, "stuckForward", "stuckUndo", "stuckLook") && after.hasError),

  "every step that was commanded and did not answer has a deadline, with the newest fence": ({ after }) =>
    steps.every(
      (step) => isIn(after, step, "running", "undoing", "looking") === hasTimer(after, step, "deadline"),
    ),

  "every step that backs off has a timer that ends it, with the newest fence": ({ after }) =>
    steps.every(
      (step) =>
        isIn(after, step, "backingOff", "undoBackingOff", "lookBackingOff") ===
        hasTimer(after, step, "backOff"),
    ),

  "at most one newest command a step: a new one comes when the last was answered, timed out, or overtaken by a late completion":
    ({ before, sent, move }) =>
      new Set(sent.map(({ step }) => step)).size === sent.length &&
      (move === null ||
        sent.every(({ step }) => before.timers[step]?.kind !== "deadline" || concerns(move, step))),

  "fences only grow": ({ sent }) => sent.every(({ fence }, place) => fence > (sent[place - 1]?.fence ?? 0)),

  "a reply that is not of the newest command moves nothing, a late completion aside": ({
    before,
    after,
    move,
  }) =>
    move?.happens.what !== "reply" ||
    move.happens.echo.fence === before.steps[move.happens.echo.step]?.fence ||
    move.happens.echo.record === "StepCompleted" ||
    JSON.stringify(before.state) === JSON.stringify(after.state),

  "the tenant's state says what its saga is about": ({ after }) => stateFits(statusOf(after.state), after),
};

const backwards = ["compensating", "rolledBack", "confirming", "closed", "stuckUndo", "stuckLook"];

const isIn = (world: World, step: string, ...states: string[]): boolean =>
  states.includes(world.state[step] ?? "");
const isOn = (world: World, ...courses: string[]): boolean => isIn(world, "course", ...courses);

const afterOf = (step: string): readonly string[] => table.find((one) => one.step === step)?.after ?? [];

const hasTimer = (world: World, step: string, kind: "deadline" | "backOff"): boolean => {
  const timer = world.timers[step];
  return timer?.kind === kind && timer.fence === world.steps[step]?.fence;
};

/** Nothing of the step is left, by what was known before the move or by the reply that the move delivers. */
const gone = (before: World, step: string, move: Move | null): boolean =>
  before.effects[step] !== "perhaps" ||
  (move?.happens.what === "reply" &&
    move.happens.echo.step === step &&
    move.happens.echo.record === "StepCompensated");

const concerns = (move: Move | null, step: string): boolean =>
  (move?.happens.what === "reply" && move.happens.echo.step === step) ||
  (move?.happens.what === "timer" && move.happens.timer === step);

const stateFits = (status: SagaStatus, { state, tenantState }: World): boolean => {
  switch (status) {
    case "running":
      return tenantState === "provisioning";
    case "compensating":
      // Until the steps in flight have answered, nothing was undone.
      return tenantState === (state.course === "draining" ? "provisioning" : "compensating");
    case "ready":
      return tenantState === "ready";
    case "rolled-back":
    case "closed":
      return tenantState === "rolled-back";
    case "stuck":
      return tenantState === "stuck";
    default:
      // Of acts alone.
      return false;
  }
};
