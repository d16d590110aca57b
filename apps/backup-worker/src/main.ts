import { dockerEngine } from "@deeplens/containers";
import { networkName } from "@deeplens/contracts";
import { connectKafka } from "@deeplens/messaging";
import { masterKeyOf } from "@deeplens/secrets";
import { readConfig, runProcess, waitFor } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import { runWorker } from "@deeplens/worker";
import { backupSettings, bucketAddressOf, bucketRule } from "./config.ts";
import { openBucket } from "./copies/bucket.ts";
import { runCopier } from "./copies/copier.ts";
import { backupStep } from "./step.ts";
import type { BackupServices } from "./tenant-backup.ts";
import { describingTopics } from "./topic-settings.ts";
import { wrappingKeys } from "./wrapped-key.ts";

const config = readConfig(backupSettings, bucketRule);
const log = createLogger("backup-worker", config.LOG_LEVEL);
const engine = dockerEngine({ host: config.DOCKER_HOST });

await runProcess(log, (signal) =>
  runWorker({
    step: "backup",
    config,
    log,
    signal,
    create: async ({ installation, pool, secrets }) => {
      await waitFor("the container engine", () => engine.ping({ signal, timeoutMs: 5_000 }), { log, signal });
      const admin = connectKafka(
        { brokers: config.KAFKA_BROKERS, username: config.KAFKA_USERNAME, password: config.KAFKA_PASSWORD },
        { clientId: "deeplens-backup-worker", log },
      ).admin();
      await waitFor("Kafka", () => admin.connect(), { log, signal });
      const masterKey = masterKeyOf(config);
      const address = bucketAddressOf(config);
      const bucket = address === undefined ? undefined : openBucket(address);
      const services: BackupServices = {
        engine,
        image: config.BACKUP_IMAGE,
        network: networkName(installation),
        reach: config.BACKUP_REACH,
        timeZone: config.BACKUP_TIME_ZONE,
        databaseServer: { host: config.TENANT_DB_HOST, port: config.TENANT_DB_PORT },
        redisServer: { host: config.REDIS_HOST, port: config.REDIS_PORT },
        wrapKey: wrappingKeys(masterKey),
        describeTopic: describingTopics(admin),
        bucket,
        habits: {
          schedule: config.BACKUP_SCHEDULE,
          retentionDays: config.BACKUP_RETENTION_DAYS,
          spreadMs: config.BACKUP_SPREAD_MINUTES * 60_000,
          drillDays: config.BACKUP_DRILL_DAYS,
        },
      };
      const stopCopying = new AbortController();
      const copier =
        bucket === undefined
          ? undefined
          : runCopier({
              services: { ...services, bucket },
              ...{ installation, pool, secrets, log },
              everyMs: config.BACKUP_COPY_MINUTES * 60_000,
              now: () => new Date(),
              signal: AbortSignal.any([signal, stopCopying.signal]),
            });
      return {
        handler: backupStep(services),
        checks: { "container engine": () => engine.ping({ timeoutMs: 2_500 }) },
        close: async () => {
          stopCopying.abort();
          await copier;
          bucket?.close();
          await admin.disconnect();
        },
      };
    },
  }),
);
