import type { PartCommand, StepContext, StepDone, StepHandler } from "@deeplens/worker";
import { together } from "./together.ts";

/** One of the three things that the step makes. */
export interface DatabasePart extends StepHandler {
  provision(command: PartCommand, context: StepContext): Promise<StepDone>;
}

/**
 * Gives a tenant its database, its share of Redis and its topic, all at once: none of them needs another. Each part
 * proves itself with the tenant's own credentials.
 *
 * @throws PermanentStepError where a thing of one of these names belongs to somebody else
 */
export const provision = async (
  parts: readonly DatabasePart[],
  command: PartCommand,
  context: StepContext,
): Promise<StepDone> => {
  const done = await together(parts.map((part) => () => part.provision(command, context)));
  return {
    outputs: Object.assign({}, ...done.map((part) => part.outputs)),
    resources: done.flatMap((part) => part.resources),
  };
};
