/**
 * A worker process whose handlers do nothing: the product's runtime (fences, locks, replies) without any service
 * behind it. Every tenth tenant's backup fails for good. Its configuration is the first argument, as JSON.
 */
import { parseConfig, runProcess } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import { PermanentStepError, runWorker, type StepHandler, workerSettings } from "@deeplens/worker";
import { failsInBackup, type NoopSettings } from "./noop-saga.ts";

const { environment, steps, healthPort } = JSON.parse(process.argv[2] ?? "{}") as NoopSettings;
const log = createLogger("noop-worker", "warn");
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
        config: parseConfig(workerSettings, { ...environment, HEALTH_PORT: String(healthPort + index) }),
        log,
        signal,
        create: async () => ({ handler: handlerOf(step), checks: {} }),
      }),
    ),
  );
});
