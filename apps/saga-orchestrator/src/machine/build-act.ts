import { type AnyStateMachine, createMachine } from "xstate";
import { type ActStep, type ActTable, checkActTable, halts, isOperation } from "./act-table.ts";
import type { Facts } from "./events.ts";
import { act, all, any, type Guard, isIn, leftOut, type Move, no, outcome, type State } from "./words.ts";

/**
 * The version of the machines of acts, as machineVersion (build.ts) is of the provisioning's: raise it with every change
 * after which an old snapshot could mean something else.
 */
export const actMachineVersion = 1;

type Region = { readonly initial: string; readonly states: Readonly<Record<string, State>> };

/**
 * The machine of an act on a tenant that was made, in the words of the provisioning's: a region for each step and one
 * (`course`) for the whole. A step that failed for good turns it around, or halts it, as the table says. Steps with a second
 * look are asked again after the settle time; a saga that has any ends when that found nothing and its name is free.
 */
export const buildActMachine = (table: ActTable): AnyStateMachine => {
  checkActTable(table);
  const regions = Object.fromEntries(table.steps.map((step) => [step.step, regionOf(table, step)]));
  return createMachine({
    id: table.kind,
    type: "parallel",
    context: ({ input }: { input: Facts }) => input,
    states: { ...regions, course: courseOf(table) },
  } as never) as AnyStateMachine;
};

const turned = isIn("course", "draining", "compensating", "stuckUndo", "undone");

const regionOf = (table: ActTable, definition: ActStep): Region => {
  const { step, after, does } = definition;
  const ready = all([
    isIn("course", "forward"),
    ...after.map((one) => isIn(one, "done", "skipped", "standby")),
  ]);
  const pending: State = {
    always: [
      { guard: leftOut(step), target: "skipped" },
      { guard: turned, target: "untouched" },
      { guard: ready, ...begin(definition) },
    ],
  };
  const rest = { untouched: {}, skipped: {} };
  switch (does) {
    case "tell":
      return { initial: "pending", states: { pending, done: {}, ...rest } };
    case "wait":
      return {
        initial: "pending",
        states: {
          pending,
          waiting: {
            entry: [act("wait", step)],
            always: [{ guard: turned, target: "untouched" }],
            on: { [`elapsed.${step}`]: [{ target: "done" }] },
          },
          done: {},
          ...rest,
        },
      };
    case "operation":
      return { initial: "pending", states: { pending, ...workStates(table, definition), ...rest } };
  }
};

const begin = (definition: ActStep): Move => {
  const { does, step } = definition;
  switch (does) {
    case "tell":
      return { target: "done", actions: [act("tell", step)] };
    case "wait":
      return { target: "waiting" };
    case "operation":
      return { target: definition.onlyUndo === true ? "standby" : "running" };
  }
};

const on = (event: string, step: string, ...moves: Move[]) => ({ [`${event}.${step}`]: moves });

const again = (step: string, target: string) => ({ ...on("retry", step, { target }), resume: [{ target }] });

const workStates = (table: ActTable, definition: ActStep): Record<string, State> => {
  const { step, skippable } = definition;
  const isHalting = halts(table, definition);
  const givenUp: Move[] = isHalting
    ? [{ guard: no(turned), target: "halted" }, { target: "failed" }]
    : [{ target: "failed" }];
  const retry = all([outcome("retry"), no(turned)]);
  const undoNow: Move = {
    guard: all([isIn("course", "compensating"), canUndo(table, step)]),
    target: "undoing",
  };
  const undoable = isUndoable(definition);
  const looked = hasSecondLook(definition);
  // What was purged may have been touched since by something that was under way: it is purged again.
  const late = looked ? on("lateCompleted", step, { target: "running" }) : {};
  return {
    running: {
      entry: [act("command", step)],
      on: {
        ...on("completed", step, { target: "done" }),
        ...on("failed", step, { guard: retry, target: "backingOff" }, ...givenUp),
        ...on("deadline", step, { guard: retry, target: "running", reenter: true }, ...givenUp),
      },
    },
    backingOff: {
      entry: [act("backOff", step)],
      always: [{ guard: turned, target: "failed" }],
      on: { ...on("retryDue", step, { target: "running" }), ...again(step, "running") },
    },
    ...(isHalting
      ? {
          halted: {
            always: [{ guard: turned, target: "failed" }],
            on: {
              ...again(step, "running"),
              ...(skippable === true ? on("skip", step, { target: "skipped" }) : {}),
            },
          },
        }
      : {}),
    failed: { always: undoable ? [undoNow] : [] },
    ...(definition.does === "operation" && definition.onlyUndo === true
      ? { standby: { always: [undoNow] } }
      : {}),
    done: {
      always: [
        ...(undoable ? [undoNow] : []),
        ...(looked ? [{ guard: isIn("course", "verifying"), target: "looking" }] : []),
      ],
      on: late,
    },
    ...(undoable ? undoStates(step) : {}),
    ...(looked ? lookStates(step) : {}),
  };
};

const undoStates = (step: string): Record<string, State> => ({
  undoing: askingAgain(step, "undo", {
    done: "undone",
    failed: "undoFailed",
    backOff: "undoBackingOff",
    self: "undoing",
  }),
  undoBackingOff: {
    entry: [act("backOff", step)],
    on: { ...on("retryDue", step, { target: "undoing" }), ...again(step, "undoing") },
  },
  undoFailed: { on: again(step, "undoing") },
  undone: {},
});

const lookStates = (step: string): Record<string, State> => {
  const late = on("lateCompleted", step, { target: "running" });
  const looking = askingAgain(step, "look", {
    done: "confirmed",
    failed: "lookFailed",
    backOff: "lookBackingOff",
    self: "looking",
  });
  return {
    looking: { ...looking, on: { ...looking.on, ...late } },
    lookBackingOff: {
      entry: [act("backOff", step)],
      on: { ...on("retryDue", step, { target: "looking" }), ...late, ...again(step, "looking") },
    },
    lookFailed: {
      // Where a late completion has started the settle time again, the second look comes again after it.
      always: [{ guard: no(isIn("course", "verifying", "stuckLook")), target: "done" }],
      on: { ...late, ...again(step, "looking") },
    },
    confirmed: { on: late },
  };
};

const askingAgain = (
  step: string,
  command: string,
  to: { done: string; failed: string; backOff: string; self: string },
): State => ({
  entry: [act(command, step)],
  on: {
    ...on("compensated", step, { target: to.done }),
    ...on("undoFailed", step, { guard: outcome("retry"), target: to.backOff }, { target: to.failed }),
    ...on(
      "deadline",
      step,
      { guard: outcome("retry"), target: to.self, reenter: true },
      { target: to.failed },
    ),
  },
});

const isUndoable = (step: ActStep): boolean => isOperation(step) && step.undo !== undefined;
const hasSecondLook = (step: ActStep): boolean => isOperation(step) && step.secondLook === true;

/** Nothing of the step is left to undo. */
const isQuiet = (definition: ActStep): Guard =>
  isIn(
    definition.step,
    "untouched",
    "skipped",
    ...(isUndoable(definition) ? ["undone"] : ["done", "failed"]),
  );

const canUndo = (table: ActTable, step: string): Guard =>
  all([
    isIn(step, "done", "failed", "standby"),
    ...table.steps.filter(({ after }) => after.includes(step)).map(isQuiet),
  ]);

const courseOf = (table: ActTable): Region => {
  const names = (steps: readonly ActStep[]): string[] => steps.map(({ step }) => step);
  const some = (of: readonly string[], ...states: string[]): Guard =>
    of.length === 0 ? () => false : any(of.map((step) => isIn(step, ...states)));
  const every = (of: readonly string[], ...states: string[]): Guard =>
    all(of.map((step) => isIn(step, ...states)));
  const steps = names(table.steps);
  const operations = names(table.steps.filter(isOperation));
  const waits = names(table.steps.filter(({ does }) => does === "wait"));
  const undoable = names(table.steps.filter(isUndoable));
  const looked = names(table.steps.filter(hasSecondLook));
  const pivots = names(table.steps.filter(({ pivot }) => pivot === true));
  const halting = names(table.steps.filter((step) => isOperation(step) && halts(table, step)));
  const ended = every(steps, "done", "skipped", "confirmed", "standby");
  const abort: Move = { guard: every(pivots, "pending", "skipped"), target: "draining" };
  const undoStuck = all([
    some(undoable, "undoFailed"),
    no(some(undoable, "undoing", "undoBackingOff")),
    no(any(undoable.map((step) => canUndo(table, step)))),
  ]);
  const settle = act("settle");
  const lateRestartsSettle = { "lateCompleted.*": [{ target: "settling", actions: [settle] }] };
  const turningAround: Record<string, State> = {
    // Undo waits for the steps in flight: for their reply, or their deadline.
    draining: {
      always: [
        {
          guard: all([
            no(
              some(operations, "running", "backingOff", "pending", ...(halting.length > 0 ? ["halted"] : [])),
            ),
            no(some(waits, "waiting", "pending")),
          ]),
          target: "compensating",
          actions: [act("compensating")],
        },
      ],
    },
    compensating: {
      always: [
        { guard: all(table.steps.map(isQuiet)), target: "undone", actions: [act("undone")] },
        { guard: undoStuck, target: "stuckUndo", actions: [act("stuck")] },
      ],
    },
    stuckUndo: {
      always: [{ guard: some(undoable, "undoing"), target: "compensating", actions: [act("compensating")] }],
    },
    undone: {},
  };
  const afterwards: Record<string, State> =
    looked.length === 0
      ? { done: {} }
      : {
          // An effect that was under way may still land: the second look comes after that time.
          settling: {
            always: [
              {
                guard: all([some(looked, "halted"), no(some(looked, "running", "backingOff"))]),
                target: "stuckForward",
                actions: [act("stuck")],
              },
            ],
            on: {
              settleDue: [{ guard: ended, target: "verifying" }, { actions: [settle] }],
              "lateCompleted.*": [{ actions: [settle] }],
            },
          },
          verifying: {
            always: [
              { guard: every(looked, "confirmed", "skipped"), target: "removed", actions: [act("removed")] },
              {
                guard: all([some(looked, "lookFailed"), no(some(looked, "looking", "lookBackingOff"))]),
                target: "stuckLook",
                actions: [act("stuck")],
              },
            ],
            on: lateRestartsSettle,
          },
          stuckLook: {
            always: [{ guard: some(looked, "looking"), target: "verifying", actions: [act("forward")] }],
            on: { "lateCompleted.*": [{ target: "settling", actions: [act("forward"), settle] }] },
          },
          // Nothing is left; the name stays reserved for as long as anything of it may be cached elsewhere.
          removed: {
            on: { releaseDue: [{ target: "closed", actions: [act("release")] }], ...lateRestartsSettle },
          },
          closed: { on: { "lateCompleted.*": [{ target: "settling", actions: [act("hold"), settle] }] } },
        };
  return {
    initial: "forward",
    states: {
      forward: {
        always: [
          ...(table.onFailure === "undo" ? [{ guard: some(operations, "failed"), target: "draining" }] : []),
          looked.length === 0
            ? { guard: ended, target: "done", actions: [act("done")] }
            : { guard: ended, target: "settling", actions: [settle] },
          ...(halting.length > 0
            ? [{ guard: some(halting, "halted"), target: "stuckForward", actions: [act("stuck")] }]
            : []),
        ],
        on: { abort: [abort] },
      },
      ...(halting.length > 0
        ? {
            stuckForward: {
              always: [{ guard: no(some(halting, "halted")), target: "forward", actions: [act("forward")] }],
              on: { abort: [abort] },
            },
          }
        : {}),
      ...turningAround,
      ...afterwards,
    },
  };
};
