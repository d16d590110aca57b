/** The orchestrator's own process with the benchmark's table of steps. Arguments: the environment as JSON, the saga. */

import { settings } from "@deeplens/saga-orchestrator/config";
import { runOrchestrator } from "@deeplens/saga-orchestrator/orchestrator";
import { parseConfig, runProcess } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import { type SagaName, sagas } from "./noop-saga.ts";

const [environment = "{}", saga = "four"] = process.argv.slice(2);
const config = parseConfig(settings, JSON.parse(environment));
const log = createLogger("saga-orchestrator", config.LOG_LEVEL);
await runProcess(log, (signal) =>
  runOrchestrator({ config, log, signal, onStage: () => undefined, kind: sagas[saga as SagaName] }),
);
