import type { TextStream, World } from "./world.ts";

/** Where results and progress go. */
export interface Output {
  readonly json: boolean;
  /** The result of the command: JSON with --json, else the text. */
  result(value: unknown, text: () => string): void;
  /** A line for people; nothing with --json. */
  say(line: string): void;
  /** Where progress is shown: not among the JSON. */
  readonly progress: TextStream;
}

export const createOutput = (world: World, json: boolean): Output => ({
  json,
  result: (value, text) => {
    world.stdout.write(`${json ? JSON.stringify(value, null, 2) : text()}\n`);
  },
  say: (line) => {
    if (!json) world.stdout.write(`${line}\n`);
  },
  progress: json ? { write: (text) => world.stderr.write(text) } : world.stdout,
});
