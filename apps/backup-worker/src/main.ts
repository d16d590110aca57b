import { dockerEngine } from "@deeplens/containers";
import { networkName } from "@deeplens/contracts";
import { connectKafka } from "@deeplens/messaging";
import { masterKeyOf } from "@deeplens/secrets";
import { readConfig, runProcess, waitFor } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import { runWorker } from "@deeplens/worker";
import { backupSettings } from "./config.ts";
import { backupStep } from "./step.ts";
import { describingTopics } from "./topic-settings.ts";
import { wrappingKeys } from "./wrapped-key.ts";

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
      const admin = connectKafka(
        { brokers: config.KAFKA_BROKERS, username: config.KAFKA_USERNAME, password: config.KAFKA_PASSWORD },
        { clientId: "deeplens-backup-worker", log },
      ).admin();
      await waitFor("Kafka", () => admin.connect(), { log, signal });
      const masterKey = masterKeyOf(config);
      return {
        handler: backupStep({
          engine,
          image: config.BACKUP_IMAGE,
          network: networkName(installation),
          reach: config.BACKUP_REACH,
          timeZone: config.BACKUP_TIME_ZONE,
          databaseServer: { host: config.TENANT_DB_HOST, port: config.TENANT_DB_PORT },
          redisServer: { host: config.REDIS_HOST, port: config.REDIS_PORT },
          wrapKey: wrappingKeys(masterKey),
          describeTopic: describingTopics(admin),
          habits: {
            schedule: config.BACKUP_SCHEDULE,
            retentionDays: config.BACKUP_RETENTION_DAYS,
            spreadMs: config.BACKUP_SPREAD_MINUTES * 60_000,
            drillDays: config.BACKUP_DRILL_DAYS,
          },
        }),
        checks: { "container engine": () => engine.ping({ timeoutMs: 2_500 }) },
        close: () => admin.disconnect(),
      };
    },
  }),
);
