// A worker process with the file step, for tests that stop and end processes.
import { readFileSync } from "node:fs";
import { runProcess } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import { runWorker, type WorkerConfig } from "../../run-worker.ts";
import { fileStep } from "./file-step.ts";

const [, , configFile = "", folder = "", alone = ""] = process.argv;
const config = JSON.parse(readFileSync(configFile, "utf8")) as WorkerConfig;
const log = createLogger("fixture-worker", config.LOG_LEVEL);

await runProcess(log, (signal) =>
  runWorker({
    step: "storage",
    ...{ config, log, signal },
    alone: alone === "alone",
    create: async () => ({ handler: fileStep(folder), checks: {} }),
  }),
);
