import { dockerEngine } from "@deeplens/containers";
import { networkName } from "@deeplens/contracts";
import { readConfig, runProcess, waitFor } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import { runWorker } from "@deeplens/worker";
import { backupSettings } from "./config.ts";
import { backupStep } from "./step.ts";

const config = readConfig(backupSettings);
const log = createLogger("backup-worker", config.LOG_LEVEL);
const engine = dockerEngine({ host: config.DOCKER_HOST });

await runProcess(log, (signal) =>
  runWorker({
    step: "backup",
    config,
    log,
    signal,
    create: async ({ installation }) => {
      await waitFor("the container engine", () => engine.ping({ signal, timeoutMs: 5_000 }), { log, signal });
      return {
        handler: backupStep({
          engine,
          image: config.BACKUP_IMAGE,
          network: networkName(installation),
          reach: config.BACKUP_REACH,
          timeZone: config.BACKUP_TIME_ZONE,
          databaseServer: { host: config.TENANT_DB_HOST, port: config.TENANT_DB_PORT },
        }),
        checks: { "container engine": () => engine.ping({ timeoutMs: 2_500 }) },
      };
    },
  }),
);
