import { type ActTable, isOperation } from "../machine/act-table.ts";
import type { MachineState, Runner } from "../machine/advance.ts";
import type { Facts, MachineEvent } from "../machine/events.ts";

/** The regions of an act's machine, in the order in which a state is recorded. */
export const regionsOf = ({ steps }: ActTable): string[] => [...steps.map(({ step }) => step), "course"];

/** Every event that could mean something to a state. What a deadline does a failure does too. */
export const eventsFor = (table: ActTable, state: MachineState): MachineEvent[] => [
  ...table.steps.flatMap((definition): MachineEvent[] => {
    const { step } = definition;
    const now = state[step] ?? "";
    const looked = isOperation(definition) && definition.secondLook === true;
    return [
      ...(looked && (now === "done" || isLooked(now)) ? [{ type: `lateCompleted.${step}` } as const] : []),
      ...eventsOf(step, now),
    ];
  }),
  { type: "resume" },
  { type: "abort" },
  { type: "settleDue" },
  { type: "releaseDue" },
];

const isLooked = (now: string): boolean => now.startsWith("look") || now === "confirmed";

const eventsOf = (step: string, now: string): MachineEvent[] => {
  switch (now) {
    case "running":
      return [
        { type: `completed.${step}` },
        { type: `failed.${step}`, outcome: "retry" },
        { type: `failed.${step}`, outcome: "final" },
      ];
    case "undoing":
    case "looking":
      return [
        { type: `compensated.${step}` },
        { type: `undoFailed.${step}`, outcome: "retry" },
        { type: `undoFailed.${step}`, outcome: "final" },
      ];
    case "backingOff":
    case "undoBackingOff":
    case "lookBackingOff":
      return [{ type: `retryDue.${step}` }];
    case "halted":
      return [{ type: `retry.${step}` }, { type: `skip.${step}` }];
    case "undoFailed":
    case "lookFailed":
      return [{ type: `retry.${step}` }];
    case "waiting":
      return [{ type: `elapsed.${step}` }];
    default:
      return [];
  }
};

/** A state, the event, and what it led to. */
export type OnMove = (from: MachineState, event: MachineEvent, to: ReturnType<Runner["next"]>) => void;

/** Every state in which the machine can be left, by whatever events; a removal has some ten thousand, and takes minutes. */
export const reachableStates = (
  table: ActTable,
  runner: Runner,
  facts: Facts,
  onMove: OnMove = () => undefined,
): MachineState[] => {
  const rowOf = (state: MachineState): string =>
    regionsOf(table)
      .map((region) => state[region])
      .join(" ");
  const first = runner.start(facts).state;
  const known = new Set([rowOf(first)]);
  const states = [first];
  for (const state of states)
    for (const event of eventsFor(table, state)) {
      const moved = runner.next(state, facts, event);
      onMove(state, event, moved);
      if (known.has(rowOf(moved.state))) continue;
      known.add(rowOf(moved.state));
      states.push(moved.state);
    }
  return states;
};
