import type { Operation, PartCommand, StepContext, StepDone } from "./step.ts";

/**
 * The operation `repair`, by a part's own making: what is there stays as it is, what is gone is made again under the same
 * names and with the stored credentials, empty, and all of it is proven. So a service that lost everything has its tenants
 * again; what they had in it comes from a backup.
 */
export const repairBy =
  (make: (command: PartCommand, context: StepContext) => Promise<StepDone>): Operation =>
  async (command, context) => {
    const done = await make(command, context);
    return { ...done, receipt: done.resources.map((resource) => ({ ...resource, outcome: "whole" })) };
  };
