import assert from "node:assert/strict";
import { test } from "node:test";
import { newMasterKeyLine } from "@deeplens/secrets";
import { ConfigurationError, parseConfig } from "@deeplens/service";
import { workerSettings } from "./run-worker.ts";

const environment = {
  ...{ KAFKA_BROKERS: "kafka:9093", KAFKA_USERNAME: "u", KAFKA_PASSWORD: "p" },
  ...{ SCHEMA_REGISTRY_URL: "http://schema-registry:8081", CONTROL_DB_HOST: "postgres" },
  ...{ CONTROL_DB_PASSWORD: "p", DEEPLENS_MASTER_KEY: newMasterKeyLine() },
};

test("a worker's environment needs no more than its services and the master key", () => {
  const config = parseConfig(workerSettings, environment);
  assert.equal(config.WORKER_CONCURRENCY, 8);
  assert.deepEqual(config.KAFKA_BROKERS, ["kafka:9093"]);
});

test("a master key that can't be used is named before anything starts, and not shown", () => {
  assert.throws(
    () => parseConfig(workerSettings, { ...environment, DEEPLENS_MASTER_KEY: "hush" }),
    (error) =>
      error instanceof ConfigurationError &&
      /DEEPLENS_MASTER_KEY: line 1/.test(error.message) &&
      !error.message.includes("hush"),
  );
});
