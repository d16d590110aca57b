import { and, not, or, stateIn } from "xstate";
import type { Facts, MachineEvent } from "./events.ts";

/** The words in which machines are written: guards over the regions' states, moves and actions. */
export type Guard =
  | ReturnType<typeof stateIn>
  | ReturnType<typeof and>
  | ReturnType<typeof or>
  | ReturnType<typeof not>
  | GuardFunction;
type GuardFunction = (input: { context: Facts; event: MachineEvent }) => boolean;
export interface Move {
  readonly guard?: Guard;
  readonly target?: string;
  readonly reenter?: true;
  readonly actions?: readonly Action[];
}
export interface Action {
  readonly type: string;
  readonly params?: { readonly step: string };
}
export interface State {
  readonly entry?: readonly Action[];
  readonly always?: readonly Move[];
  readonly on?: Readonly<Record<string, readonly Move[]>>;
}

export const isIn = (region: string, ...states: string[]): Guard =>
  any(states.map((state) => stateIn({ [region]: state })));
export const any = (guards: Guard[]): Guard =>
  guards.length === 1 && guards[0] !== undefined ? guards[0] : or(guards as []);
export const all = (guards: Guard[]): Guard => and(guards as []);
export const no = (guard: Guard): Guard => not(guard as GuardFunction);
export const outcome =
  (...outcomes: string[]): GuardFunction =>
  ({ event }) =>
    "outcome" in event && outcomes.includes(event.outcome);
export const leftOut =
  (step: string): GuardFunction =>
  ({ context }) =>
    context.leftOut.includes(step);
export const act = (type: string, step?: string): Action =>
  step === undefined ? { type } : { type, params: { step } };
