import { type AnyStateMachine, createMachine } from "xstate";
import type { Facts } from "./events.ts";
import { checkTable, dependentsOf, type SagaTable, type StepDefinition } from "./table.ts";
import { act, all, any, type Guard, isIn, leftOut, type Move, no, outcome, type State } from "./words.ts";

/**
 * The version of the machine that a stored saga names. Raise it with every change after which an old snapshot could
 * mean something else, and record snapshots of the old one (recorded-snapshots/).
 */
export const machineVersion = 1;

/** Nothing is left of the step, or nothing ever was. */
const quiet = ["undone", "confirmed", "untouched", "skipped"];

/**
 * The machine of a saga: a region for each step, and one (`course`) for where the saga as a whole is going. It is
 * pure: it is only ever run by `transition()`, and its actions are data for the outbox and the timers.
 */
export const buildMachine = (id: string, table: SagaTable): AnyStateMachine => {
  checkTable(table);
  const regions = Object.fromEntries(
    table.map((definition) => [definition.step, stepRegion(table, definition)]),
  );
  return createMachine({
    id,
    type: "parallel",
    context: ({ input }: { input: Facts }) => input,
    states: { ...regions, course: courseRegion(table) },
  } as never) as AnyStateMachine;
};

const stepRegion = (
  table: SagaTable,
  { step, after, pivot }: StepDefinition,
): { initial: string; states: Record<string, State> } => {
  const forward = isIn("course", "forward");
  const before = after.map((earlier) => isIn(earlier, "done", "skipped"));
  const undoable = canUndo(table, step);
  const givenUp = pivot === true ? "uncertain" : "failed";
  const undoNow: Move = { guard: all([isIn("course", "compensating"), undoable]), target: "undoing" };
  const on = (event: string, ...moves: Move[]) => ({ [`${event}.${step}`]: moves });
  const again = (target: string) => ({ ...on("retry", { target }), resume: [{ target }] });
  const stateOfWork = (
    command: string,
    done: string,
    failed: string,
    backOff: string,
    self: string,
  ): State => ({
    entry: [act(command, step)],
    on: {
      ...on("compensated", { target: done }),
      ...on("undoFailed", { guard: outcome("retry"), target: backOff }, { target: failed }),
      ...on("deadline", { guard: outcome("retry"), target: self, reenter: true }, { target: failed }),
    },
  });
  return {
    initial: "pending",
    states: {
      pending: {
        always: [
          { guard: leftOut(step), target: "skipped" },
          { guard: no(forward), target: "untouched" },
          { guard: all([forward, ...before]), target: "running" },
        ],
      },
      running: {
        entry: [act("command", step)],
        on: {
          ...on("completed", { target: "done" }),
          ...on(
            "failed",
            { guard: outcome("refused"), target: "failed" },
            { guard: all([outcome("retry"), forward]), target: "backingOff" },
            { target: givenUp },
          ),
          ...on(
            "deadline",
            { guard: all([outcome("retry"), forward]), target: "running", reenter: true },
            { target: givenUp },
          ),
        },
      },
      backingOff: {
        entry: [act("backOff", step)],
        always: [{ guard: no(forward), target: "failed" }],
        on: { ...on("retryDue", { target: "running" }), ...again("running") },
      },
      // The pivot alone: whether it was done is not known, and nothing may be undone until it is.
      uncertain: {
        on: {
          ...on("completed", { target: "done" }),
          ...on("failed", { guard: outcome("refused"), target: "failed" }),
          ...again("running"),
        },
      },
      failed: { always: [undoNow] },
      done: { always: [undoNow] },
      undoing: stateOfWork("undo", "undone", "undoFailed", "undoBackingOff", "undoing"),
      undoBackingOff: {
        entry: [act("backOff", step)],
        on: { ...on("retryDue", { target: "undoing" }), ...again("undoing") },
      },
      undoFailed: { on: again("undoing") },
      undone: {
        always: [{ guard: isIn("course", "confirming"), target: "looking" }],
        on: on("lateCompleted", { target: "undoing" }),
      },
      looking: lateToUndo(step, stateOfWork("look", "confirmed", "lookFailed", "lookBackingOff", "looking")),
      lookBackingOff: {
        entry: [act("backOff", step)],
        on: {
          ...on("retryDue", { target: "looking" }),
          ...on("lateCompleted", { target: "undoing" }),
          ...again("looking"),
        },
      },
      lookFailed: {
        // Where a late completion has started the settle time again, the second look comes again after it.
        always: [{ guard: no(isIn("course", "confirming", "stuckLook")), target: "undone" }],
        on: { ...on("lateCompleted", { target: "undoing" }), ...again("looking") },
      },
      confirmed: { on: on("lateCompleted", { target: "undoing" }) },
      untouched: {},
      skipped: {},
    },
  };
};

const lateToUndo = (step: string, state: State): State => ({
  ...state,
  on: { ...state.on, [`lateCompleted.${step}`]: [{ target: "undoing" }] },
});

const canUndo = (table: SagaTable, step: string): Guard =>
  all([isIn(step, "done", "failed"), ...dependentsOf(table, step).map((later) => isIn(later, ...quiet))]);

const courseRegion = (table: SagaTable): { initial: string; states: Record<string, State> } => {
  const steps = table.map(({ step }) => step);
  const pivots = table.filter(({ pivot }) => pivot === true).map(({ step }) => step);
  const some = (...states: string[]): Guard => any(steps.map((step) => isIn(step, ...states)));
  const every = (...states: string[]): Guard => all(steps.map((step) => isIn(step, ...states)));
  const none = (...states: string[]): Guard => no(some(...states));
  const nothingToUndo = none("undoing", "undoBackingOff");
  const undoStuck = all([
    some("undoFailed"),
    nothingToUndo,
    no(any(steps.map((step) => canUndo(table, step)))),
  ]);
  const lateRestartsSettle = { "lateCompleted.*": [{ actions: [act("settle")] }] };
  return {
    initial: "forward",
    states: {
      forward: {
        always: [
          { guard: some("failed"), target: "draining" },
          { guard: every("done", "skipped"), target: "ready", actions: [act("ready")] },
          { guard: some("uncertain"), target: "stuckForward", actions: [act("stuck")] },
        ],
        on: { abort: [{ guard: all(pivots.map((step) => isIn(step, "pending"))), target: "draining" }] },
      },
      // Undo waits for the steps in flight: for their reply, or their deadline.
      draining: {
        always: [
          {
            guard: none("running", "backingOff", "pending"),
            target: "compensating",
            actions: [act("compensating")],
          },
        ],
      },
      compensating: {
        always: [
          { guard: every(...quiet), target: "rolledBack", actions: [act("rolledBack"), act("settle")] },
          { guard: undoStuck, target: "stuckUndo", actions: [act("stuck")] },
        ],
      },
      // An effect that was under way may still land: the slug stays reserved, and a second look comes after that time.
      rolledBack: {
        always: [
          { guard: all([some("undoFailed"), nothingToUndo]), target: "stuckUndo", actions: [act("stuck")] },
        ],
        on: {
          settleDue: [{ guard: every(...quiet), target: "confirming" }, { actions: [act("settle")] }],
          ...lateRestartsSettle,
        },
      },
      confirming: {
        always: [
          { guard: every("confirmed", "untouched", "skipped"), target: "closed", actions: [act("release")] },
          {
            guard: all([some("lookFailed"), none("looking", "lookBackingOff")]),
            target: "stuckLook",
            actions: [act("stuck")],
          },
        ],
        on: { "lateCompleted.*": [{ target: "rolledBack", actions: [act("settle")] }] },
      },
      closed: {
        on: { "lateCompleted.*": [{ target: "rolledBack", actions: [act("hold"), act("settle")] }] },
      },
      ready: {},
      stuckForward: {
        always: [{ guard: none("uncertain"), target: "forward", actions: [act("provisioning")] }],
      },
      stuckUndo: {
        always: [{ guard: some("undoing"), target: "compensating", actions: [act("compensating")] }],
      },
      stuckLook: {
        always: [{ guard: some("looking"), target: "confirming", actions: [act("confirming")] }],
        on: { "lateCompleted.*": [{ target: "rolledBack", actions: [act("confirming"), act("settle")] }] },
      },
    },
  };
};
