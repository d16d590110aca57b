import { readConfig, runProcess } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import { settings, settleRule } from "./config.ts";
import { runOrchestrator } from "./orchestrator.ts";

const config = readConfig(settings, settleRule);
const log = createLogger("saga-orchestrator", config.LOG_LEVEL);
await runProcess(log, (signal) => runOrchestrator({ config, log, signal, onStage: () => undefined }));
