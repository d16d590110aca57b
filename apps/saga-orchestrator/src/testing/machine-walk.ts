import type { MachineState, Runner } from "../machine/advance.ts";
import type { Facts, MachineEvent } from "../machine/events.ts";
import { provisioning } from "../machine/table.ts";

const steps = provisioning.map(({ step }) => step);

/** Every event that there is, of every step. */
export const allEvents: readonly MachineEvent[] = [
  ...steps.flatMap((step): MachineEvent[] => [
    { type: `completed.${step}` },
    { type: `failed.${step}`, outcome: "retry" },
    { type: `failed.${step}`, outcome: "final" },
    { type: `failed.${step}`, outcome: "refused" },
    { type: `compensated.${step}` },
    { type: `undoFailed.${step}`, outcome: "retry" },
    { type: `undoFailed.${step}`, outcome: "final" },
    { type: `deadline.${step}`, outcome: "retry" },
    { type: `deadline.${step}`, outcome: "final" },
    { type: `retryDue.${step}` },
    { type: `lateCompleted.${step}` },
    { type: `retry.${step}` },
  ]),
  { type: "settleDue" },
  { type: "resume" },
  { type: "abort" },
];

/** The facts that a tenant can have. */
export const allFacts: readonly Facts[] = [{ leftOut: [] }, { leftOut: ["storage"] }];

/** Every state that the machine can be in, by whatever events, in an order that is always the same. */
export const reachableStates = (runner: Runner, facts: Facts): MachineState[] => {
  const known = new Map<string, MachineState>();
  const open: MachineState[] = [];
  const meet = (state: MachineState): void => {
    const key = keyOf(state);
    if (known.has(key)) return;
    known.set(key, state);
    open.push(state);
  };
  meet(runner.start(facts).state);
  for (let state = open.pop(); state !== undefined; state = open.pop())
    for (const event of allEvents) meet(runner.next(state, facts, event).state);
  return [...known.keys()].sort().map((key) => known.get(key) ?? {});
};

/** A state as one short line: the steps' states in the order of the table, then the course. */
export const keyOf = (state: MachineState): string =>
  [...steps, "course"].map((region) => state[region] ?? "").join(" ");

/** What `keyOf` wrote. */
export const stateOf = (key: string): MachineState => {
  const states = key.split(" ");
  return Object.fromEntries([...steps, "course"].map((region, place) => [region, states[place] ?? ""]));
};
