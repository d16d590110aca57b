import { confirm, input } from "@inquirer/prompts";
import { Refused } from "./refused.ts";
import type { Session } from "./session.ts";

/**
 * Shows what is going to be done, and asks; elsewhere than on a terminal `--yes` says that it is meant.
 *
 * @param typed what has to be typed for it, where a plain yes is too easily said
 * @throws Refused where it is not meant, or nobody can be asked
 */
export const confirmed = async (
  { options, world, out }: Session<{ readonly yes?: boolean }>,
  plan: readonly string[],
  question: string,
  typed?: string,
): Promise<void> => {
  for (const line of plan) out.say(line);
  if (options.yes === true) return;
  if (!world.interactive || out.json)
    throw new Refused(
      "not-confirmed",
      "nothing was done: it was not confirmed, and nobody can be asked here",
      "say that you mean it with --yes",
    );
  const meant =
    typed === undefined
      ? await confirm({ message: question, default: false })
      : (await input({ message: `${question} Type ${typed} to go on:` })) === typed;
  if (!meant) throw new Refused("not-confirmed", "nothing was done", "run it again when you mean it");
};
