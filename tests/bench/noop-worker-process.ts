/**
 * A worker process whose handlers do nothing: the product's runtime (fences, locks, replies) without any service
 * behind it. Every tenth tenant's backup fails for good. Its arguments are the steps; the first one's health port is
 * the environment's, the others' follow.
 */

import { isStepName } from "@deeplens/contracts";
import { readConfig, runProcess } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import { runWorker, workerSettings } from "@deeplens/worker";
import { noopHandler } from "./noop-handler.ts";

const config = readConfig(workerSettings);
const steps = process.argv.slice(2).filter(isStepName);
const log = createLogger("noop-worker", config.LOG_LEVEL);

await runProcess(log, async (signal) => {
  await Promise.all(
    steps.map((step, index) =>
      runWorker({
        step,
        config: { ...config, HEALTH_PORT: config.HEALTH_PORT + index },
        log,
        signal,
        create: async () => ({ handler: noopHandler(step), checks: {} }),
      }),
    ),
  );
});
