import { type AnyStateMachine, initialTransition, type StateValue, transition } from "xstate";
import type { Facts, MachineAction, MachineEvent } from "./events.ts";

/** The machine's state: a word for each step, and one (`course`) for the saga as a whole. Plain JSON. */
export type MachineState = Readonly<Record<string, string>>;

export interface Advance {
  readonly state: MachineState;
  readonly actions: readonly MachineAction[];
}

/** Runs a machine as a pure function. */
export interface Runner {
  start(facts: Facts): Advance;
  next(state: MachineState, facts: Facts, event: MachineEvent): Advance;
}

/** Straight through XState. */
export const directRunner = (machine: AnyStateMachine): Runner => ({
  start: (facts) => toAdvance(initialTransition(machine, facts as never)),
  next: (state, facts, event) => {
    const snapshot = machine.resolveState({ value: state as StateValue, context: facts as never });
    return toAdvance(transition(machine, snapshot, event as never));
  },
});

// Far more than a machine of this size has; a bound all the same, so that memory can't grow for ever.
const memoEntries = 200_000;

/**
 * As the runner given, each transition computed once: the key is the machine's whole input (PROTOCOL.md 10). One memo
 * belongs to one machine, and so to one version of it.
 */
export const memoised = (runner: Runner): Runner => {
  const memo = new Map<string, Advance>();
  const remember = (key: string, compute: () => Advance): Advance => {
    const known = memo.get(key);
    if (known !== undefined) return known;
    const advance = compute();
    if (memo.size >= memoEntries) memo.clear();
    memo.set(key, advance);
    return advance;
  };
  return {
    start: (facts) => remember(JSON.stringify([facts]), () => runner.start(facts)),
    next: (state, facts, event) =>
      remember(JSON.stringify([state, facts, event]), () => runner.next(state, facts, event)),
  };
};

interface EmittedAction {
  readonly type: string;
  readonly params?: unknown;
}

const toAdvance = ([snapshot, actions]: [{ value: StateValue }, readonly EmittedAction[]]): Advance => ({
  state: snapshot.value as MachineState,
  actions: actions.map(
    ({ type, params }) => ({ type, ...(params as { step: string } | undefined) }) as unknown as MachineAction,
  ),
});
