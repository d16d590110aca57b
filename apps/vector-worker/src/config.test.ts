import assert from "node:assert/strict";
import { test } from "node:test";
import { newMasterKeyLine } from "@deeplens/secrets";
import { ConfigurationError, parseConfig } from "@deeplens/service";
import { portRangeOf, portRule, vectorSettings } from "./config.ts";

const environment = {
  KAFKA_BROKERS: "kafka:9093",
  KAFKA_USERNAME: "deeplens",
  KAFKA_PASSWORD: "p",
  SCHEMA_REGISTRY_URL: "http://schema-registry:8081",
  CONTROL_DB_HOST: "postgres",
  CONTROL_DB_PASSWORD: "p",
  DEEPLENS_MASTER_KEY: newMasterKeyLine(),
  QDRANT_IMAGE: "qdrant/qdrant:v1.19.0",
};

const named = (error: unknown): string[] => {
  assert.ok(error instanceof ConfigurationError);
  return error.problems.map((problem) => problem.split(":")[0] ?? "").toSorted();
};

test("what is not set has the design's defaults: ports from 6433 and 6434, published on this machine alone", () => {
  const config = parseConfig(vectorSettings, environment);
  assert.equal(config.QDRANT_REACH, "network");
  assert.equal(config.PUBLISH_ADDRESS, "127.0.0.1");
  assert.deepEqual([config.VECTOR_SIZE, config.VECTOR_DISTANCE], [512, "Cosine"]);
  assert.deepEqual(portRangeOf(config), { httpBase: 6433, grpcBase: 6434, pairs: 500 });
});

test("every variable that is missing or wrong is named at once", () => {
  const wrong = {
    ...environment,
    QDRANT_IMAGE: "",
    DOCKER_HOST: "localhost",
    QDRANT_REACH: "telepathy",
    QDRANT_HTTP_PORT_BASE: "70000",
    QDRANT_PORT_PAIRS: "0",
    PUBLISH_ADDRESS: "anywhere",
    VECTOR_SIZE: "-1",
    VECTOR_DISTANCE: "Miles",
  };
  assert.throws(
    () => parseConfig(vectorSettings, wrong),
    (error) => {
      assert.deepEqual(named(error), [
        "DOCKER_HOST",
        "PUBLISH_ADDRESS",
        "QDRANT_HTTP_PORT_BASE",
        "QDRANT_IMAGE",
        "QDRANT_PORT_PAIRS",
        "QDRANT_REACH",
        "VECTOR_DISTANCE",
        "VECTOR_SIZE",
      ]);
      return true;
    },
  );
});

test("ports that could be an HTTP and a gRPC port at once, or that do not exist, are refused", () => {
  const rangeOf = (http: number, grpc: number, pairs: number) => {
    const ports = { QDRANT_HTTP_PORT_BASE: http, QDRANT_GRPC_PORT_BASE: grpc, QDRANT_PORT_PAIRS: pairs };
    const texts = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)]));
    return portRangeOf(parseConfig(vectorSettings, { ...environment, ...texts }, portRule));
  };
  assert.throws(
    () => rangeOf(6433, 6435, 10),
    (error) => named(error)[0] === "QDRANT_GRPC_PORT_BASE",
  );
  assert.throws(
    () => rangeOf(65_531, 65_532, 3),
    (error) => named(error)[0] === "QDRANT_PORT_PAIRS",
  );
  assert.equal(rangeOf(65_531, 65_532, 2).pairs, 2);
});
