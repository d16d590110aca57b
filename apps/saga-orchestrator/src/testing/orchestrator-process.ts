/**
 * The orchestrator's own process, for tests: the wiring of main.ts, with its configuration from the first argument
 * and, where a second one names a stage, a SIGKILL of itself the first time that stage is reached under load.
 */

import { parseConfig, runProcess } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import { settings } from "../config.ts";
import { runOrchestrator } from "../orchestrator.ts";

const [environment = "{}", killAt, after = "1"] = process.argv.slice(2);
const config = parseConfig(settings, JSON.parse(environment));
const log = createLogger("saga-orchestrator", config.LOG_LEVEL);

let reached = 0;
const onStage = (stage: string): void => {
  if (stage !== killAt) return;
  reached += 1;
  if (reached === Number(after)) process.kill(process.pid, "SIGKILL");
};

await runProcess(log, (signal) => runOrchestrator({ config, log, signal, onStage }));
