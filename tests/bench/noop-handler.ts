import { PermanentStepError, type StepHandler } from "@deeplens/worker";
import { failsInBackup } from "./planned-failures.ts";

const filler = "x".repeat(100);

/** A step that does nothing, at once; every tenth tenant's backup fails for good. */
export const noopHandler = (step: string): StepHandler => ({
  provision: async ({ tenant }) => {
    if (step === "backup" && failsInBackup(tenant.slug))
      throw new PermanentStepError("planned", `the backup of ${tenant.slug} fails in every run`);
    return { outputs: { filler }, resources: [] };
  },
  compensate: async () => [],
});
