import { createPool } from "@deeplens/postgres";
import { readConfig, runProcess, waitFor } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import { lifeOperations, repairBy, rotationOperations, runWorker } from "@deeplens/worker";
import { compensate } from "./compensate.ts";
import { settings } from "./config.ts";
import { databaseLife } from "./database-life.ts";
import { databaseMigration } from "./database-migration.ts";
import { databaseRotation } from "./database-rotation.ts";
import { databaseTier } from "./database-tier.ts";
import { openKafkaCluster } from "./kafka-cluster.ts";
import { kafkaLife } from "./kafka-life.ts";
import { kafkaRotation } from "./kafka-rotation.ts";
import { lifeTogether, rotationTogether } from "./life.ts";
import { probeDatabase } from "./probe.ts";
import { provision } from "./provision.ts";
import { redisLife } from "./redis-life.ts";
import { redisRotation } from "./redis-rotation.ts";
import { connectRedis } from "./redis-server.ts";
import { restoreOperations } from "./restore.ts";
import { tenantDatabases } from "./tenant-databases.ts";
import { tenantKafka } from "./tenant-kafka.ts";
import { tenantRedis } from "./tenant-redis.ts";
import { maintenanceDatabase, statementMs, type TenantServer } from "./tenant-server.ts";
import { ensureTemplate, templateOf } from "./tenant-template.ts";

const config = readConfig(settings);
const log = createLogger("db-worker", config.LOG_LEVEL);

await runProcess(log, (signal) =>
  runWorker({
    step: "database",
    config,
    log,
    signal,
    create: async ({ installation }) => {
      const server: TenantServer = {
        host: config.TENANT_DB_HOST,
        port: config.TENANT_DB_PORT,
        adminUser: config.TENANT_DB_ADMIN_USER,
        adminPassword: config.TENANT_DB_ADMIN_PASSWORD,
        pool: createPool(
          {
            host: config.TENANT_DB_HOST,
            port: config.TENANT_DB_PORT,
            database: maintenanceDatabase,
            user: config.TENANT_DB_ADMIN_USER,
            password: config.TENANT_DB_ADMIN_PASSWORD,
          },
          // Each command holds one session for its DDL; making the template and the health check take one more each.
          { name: "deeplens-db-worker", log, size: config.WORKER_CONCURRENCY + 2, statementMs },
        ),
      };
      const redis = connectRedis({
        host: config.REDIS_HOST,
        port: config.REDIS_PORT,
        username: config.REDIS_ADMIN_USER,
        password: config.REDIS_ADMIN_PASSWORD,
        onError: (error) => log.warn({ reason: error.message }, "the connection to Redis broke"),
      });
      const kafka = openKafkaCluster(
        { brokers: config.KAFKA_BROKERS, username: config.KAFKA_USERNAME, password: config.KAFKA_PASSWORD },
        log,
      );
      const close = async (): Promise<void> => {
        redis.admin.disconnect();
        await Promise.allSettled([server.pool.end(), kafka.admin.disconnect()]);
      };
      try {
        const waiting = { log, signal };
        const template = await templateOf(installation);
        await waitFor("the tenants' Postgres", () => ensureTemplate(server, template, signal), waiting);
        await waitFor("Redis", () => redis.admin.ping(), waiting);
        await waitFor("Kafka", () => kafka.admin.connect(), waiting);
      } catch (error) {
        await close();
        throw error;
      }
      const parts = [tenantDatabases(server), tenantRedis(redis), tenantKafka(kafka)];
      return {
        handler: {
          provision: (command, context) => provision(parts, command, context),
          compensate: (command, context) => compensate(parts, command, context),
          operations: {
            ...lifeOperations(lifeTogether([databaseLife(server), redisLife(redis), kafkaLife(kafka)])),
            ...rotationOperations(
              rotationTogether([databaseRotation(server), redisRotation(redis), kafkaRotation(kafka)]),
            ),
            tier: databaseTier(server),
            migrate: databaseMigration(server),
            repair: repairBy((command, context) => provision(parts, command, context)),
            probe: probeDatabase({ server, redis, cluster: kafka }),
            ...restoreOperations(server),
          },
        },
        checks: {
          "tenant-database": async () => void (await server.pool.query("SELECT 1")),
          redis: async () => void (await redis.admin.ping()),
          "tenant-kafka": async () => void (await kafka.admin.describeCluster()),
        },
        close,
      };
    },
  }),
);
