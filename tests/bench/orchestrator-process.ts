/** The orchestrator's own process with the benchmark's table of steps. Its argument: the saga's name. */

import { settings } from "@deeplens/saga-orchestrator/config";
import { runOrchestrator } from "@deeplens/saga-orchestrator/orchestrator";
import { readConfig, runProcess } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import { type SagaName, sagas } from "./noop-saga.ts";

const [saga = "four"] = process.argv.slice(2);
const config = readConfig(settings);
const log = createLogger("saga-orchestrator", config.LOG_LEVEL);
await runProcess(log, (signal) =>
  runOrchestrator({ config, log, signal, onStage: () => undefined, kind: sagas[saga as SagaName] }),
);
