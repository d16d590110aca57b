import { input } from "@inquirer/prompts";
import { Refused } from "./refused.ts";
import type { Session } from "./session.ts";

/** Why somebody acts: as given, or asked for on a terminal. @throws Refused where nobody can be asked */
export const reasonOf = async (
  { options, world, out }: Session<{ readonly reason?: string }>,
  act: string,
): Promise<string> => {
  if (options.reason !== undefined && options.reason.trim().length >= 3) return options.reason.trim();
  if (!world.interactive || out.json)
    throw new Refused(
      "reason-missing",
      `${act} needs a reason of 3 characters or more`,
      'give it with --reason "..."',
    );
  return input({
    message: "Why?",
    validate: (text) => text.trim().length >= 3 || "say it in 3 characters or more; it is recorded",
  });
};
