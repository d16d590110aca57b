import type { MachineState, Runner } from "../machine/advance.ts";
import type { Facts, MachineEvent } from "../machine/events.ts";
import { provisioning } from "../machine/table.ts";

const steps = provisioning.map(({ step }) => step);

/** The machine's regions in the order in which a state is recorded. */
export const regions: readonly string[] = [...steps, "course"];

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

/**
 * Every state in which the machine can be left, by whatever events. Takes minutes: there are some ten thousand.
 */
export const reachableStates = (runner: Runner, facts: Facts): MachineState[] => {
  const known = new Map<string, MachineState>();
  const open: MachineState[] = [];
  const meet = (state: MachineState): void => {
    const key = rowOf(state).join(" ");
    if (known.has(key)) return;
    known.set(key, state);
    open.push(state);
  };
  meet(runner.start(facts).state);
  for (let state = open.pop(); state !== undefined; state = open.pop())
    for (const event of eventsFor(state)) meet(runner.next(state, facts, event).state);
  return [...known.values()];
};

/** The events that could mean something to a state: of steps that rest for ever there is none. */
export const eventsFor = (state: MachineState): MachineEvent[] => {
  const resting = ["pending", "untouched", "skipped", "done", "failed"];
  return allEvents.filter(({ type }) => {
    const [what, step] = type.split(".");
    if (step === undefined) return what !== "resume";
    const now = state[step] ?? "";
    if (resting.includes(now)) return false;
    const waits = now.endsWith("BackingOff") || now === "backingOff";
    if (what === "retryDue") return waits;
    if (what === "retry") return now === "uncertain" || now === "undoFailed" || now === "lookFailed";
    if (what === "lateCompleted") return ["undone", "confirmed"].includes(now) || now.startsWith("look");
    if (what === "completed" || what === "failed") return now === "running" || now === "uncertain";
    // A deadline does what a failure does, and `retry` of a deadline leaves the state as it is.
    return what !== "deadline" && (now === "undoing" || now === "looking");
  });
};

/** A state as the words of its regions. */
export const rowOf = (state: MachineState): string[] => regions.map((region) => state[region] ?? "");

/** What `rowOf` took. */
export const stateOf = (row: readonly string[]): MachineState =>
  Object.fromEntries(regions.map((region, place) => [region, row[place] ?? ""]));
