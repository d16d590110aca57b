import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigurationError, parseConfig } from "@deeplens/service";
import { storageSettings } from "./config.ts";

const environment = {
  KAFKA_BROKERS: "kafka:9093",
  KAFKA_USERNAME: "storage-worker",
  KAFKA_PASSWORD: "x",
  SCHEMA_REGISTRY_URL: "http://schema-registry:8081",
  CONTROL_DB_HOST: "postgres",
  CONTROL_DB_PASSWORD: "x",
  DEEPLENS_MASTER_KEY: `v1:${Buffer.alloc(32, 7).toString("base64")}`,
  MINIO_ENDPOINT: "http://minio:9000/",
  MINIO_ROOT_USER: "root",
  MINIO_ROOT_PASSWORD: "password",
};

const problemsOf = (changes: Record<string, string | undefined>): readonly string[] => {
  try {
    parseConfig(storageSettings, { ...environment, ...changes });
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigurationError);
    return error.problems.filter((problem) => problem.startsWith("MINIO_"));
  }
};

test("MinIO's address is taken as an origin, with or without its last slash", () => {
  assert.deepEqual(problemsOf({}), []);
  assert.equal(storageSettings.MINIO_ENDPOINT.parse("http://minio:9000/"), "http://minio:9000");
});

test("everything that is missing or wrong about MinIO is named at once", () => {
  const problems = problemsOf({
    MINIO_ENDPOINT: "minio:9000",
    MINIO_ROOT_USER: undefined,
    MINIO_ROOT_PASSWORD: "x",
  });
  assert.deepEqual(
    problems.map((problem) => problem.split(":")[0]),
    ["MINIO_ENDPOINT", "MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"],
  );
  for (const wrong of ["http://minio:9000/s3", "ftp://minio:9000", "http://minio:9000/?x=1"])
    assert.match(problemsOf({ MINIO_ENDPOINT: wrong }).join(), /origin without a path/, wrong);
});
