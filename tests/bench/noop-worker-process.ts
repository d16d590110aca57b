/**
 * A worker process whose handlers do nothing: the product's runtime (fences, locks, replies) without any service
 * behind it. Every tenth tenant's backup fails for good. Its arguments are the steps; the first one's health port is
 * the environment's, the others' follow.
 */

import { isStepName } from "@deeplens/contracts";
import { readConfig, runProcess } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import { PermanentStepError, runWorker, type StepHandler, workerSettings } from "@deeplens/worker";
import { failsInBackup } from "./noop-saga.ts";

const config = readConfig(workerSettings);
const steps = process.argv.slice(2).filter(isStepName);
const log = createLogger("noop-worker", config.LOG_LEVEL);
const filler = "x".repeat(100);

const handlerOf = (step: string): StepHandler => ({
  provision: async ({ tenant }) => {
    if (step === "backup" && failsInBackup(tenant.slug))
      throw new PermanentStepError("planned", `the backup of ${tenant.slug} fails in every run`);
    return { outputs: { filler }, resources: [] };
  },
  compensate: async () => [],
});

await runProcess(log, async (signal) => {
  await Promise.all(
    steps.map((step, index) =>
      runWorker({
        step,
        config: { ...config, HEALTH_PORT: config.HEALTH_PORT + index },
        log,
        signal,
        create: async () => ({ handler: handlerOf(step), checks: {} }),
      }),
    ),
  );
});
