import assert from "node:assert/strict";
import { test } from "node:test";
import { newMasterKeyLine } from "@deeplens/secrets";
import { ConfigurationError, parseConfig } from "@deeplens/service";
import { backupSettings } from "./config.ts";

const environment = {
  KAFKA_BROKERS: "kafka:9093",
  KAFKA_USERNAME: "deeplens",
  KAFKA_PASSWORD: "p",
  SCHEMA_REGISTRY_URL: "http://schema-registry:8081",
  CONTROL_DB_HOST: "postgres",
  CONTROL_DB_PASSWORD: "p",
  DEEPLENS_MASTER_KEY: newMasterKeyLine(),
  BACKUP_IMAGE: "backup:1",
  TENANT_DB_HOST: "postgres",
  REDIS_HOST: "redis",
};

test("what is not set has the defaults of an installation's network", () => {
  const config = parseConfig(backupSettings, environment);
  assert.equal(config.BACKUP_REACH, "network");
  assert.equal(config.BACKUP_TIME_ZONE, "UTC");
  assert.equal(config.TENANT_DB_PORT, 5432);
  assert.equal(config.REDIS_PORT, 6379);
  assert.deepEqual(
    [config.BACKUP_SCHEDULE, config.BACKUP_RETENTION_DAYS, config.BACKUP_SPREAD_MINUTES],
    ["0 2 * * *", 30, 60],
  );
});

test("every variable that is missing or wrong is named at once", () => {
  const wrong = {
    ...environment,
    BACKUP_IMAGE: "",
    BACKUP_REACH: "telepathy",
    BACKUP_TIME_ZONE: "Mars/Olympus",
    BACKUP_SCHEDULE: "every night",
    BACKUP_RETENTION_DAYS: "0",
    DOCKER_HOST: "localhost",
    TENANT_DB_HOST: "",
  };
  assert.throws(
    () => parseConfig(backupSettings, wrong),
    (error) => {
      assert.ok(error instanceof ConfigurationError);
      const named = error.problems.map((problem) => problem.split(":")[0]).toSorted();
      assert.deepEqual(named, [
        "BACKUP_IMAGE",
        "BACKUP_REACH",
        "BACKUP_RETENTION_DAYS",
        "BACKUP_SCHEDULE",
        "BACKUP_TIME_ZONE",
        "DOCKER_HOST",
        "TENANT_DB_HOST",
      ]);
      return true;
    },
  );
});
