/**
 * The orchestrator's own process, for tests: the wiring of main.ts, with its configuration from its environment.
 * An argument, or a message of its parent, sets an ambush: a signal to itself the nth time that a stage is
 * reached. SIGKILL ends the process there and then: nothing is thrown, nothing is cleaned up.
 */

import { readConfig, runProcess } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import { settings } from "../config.ts";
import type { Stage } from "../engine/stages.ts";
import { runOrchestrator } from "../orchestrator.ts";

export interface Ambush {
  readonly stage: Stage;
  /** How many times the stage is reached before: 1 is the first. */
  readonly nth: number;
  readonly signal: "SIGKILL" | "SIGSTOP";
}

const [first = "null"] = process.argv.slice(2);
const config = readConfig(settings);
const log = createLogger("saga-orchestrator", config.LOG_LEVEL);

let ambush = JSON.parse(first) as Ambush | null;
let reached = 0;
process.on("message", (message) => {
  ambush = message as Ambush;
  reached = 0;
});
process.channel?.unref();

const onStage = (stage: Stage): void => {
  log.debug({ stage }, "stage");
  if (ambush === null || stage !== ambush.stage) return;
  reached += 1;
  if (reached === ambush.nth) process.kill(process.pid, ambush.signal);
};

await runProcess(log, (signal) => runOrchestrator({ config, log, signal, onStage }));
