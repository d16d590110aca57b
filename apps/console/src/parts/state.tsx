import { type Tone, toneOf } from "./tone.ts";

/** A state as a word with its tone: the word says it, colour and shape only help. */
export const State = ({ of, tone = toneOf(of) }: { readonly of: string; readonly tone?: Tone }) => (
  <span className={`state tone-${tone}`}>{of}</span>
);
