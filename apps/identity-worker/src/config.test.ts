import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "@deeplens/service";
import { identityRule, identitySettings } from "./config.ts";

const environment = {
  ...{ KAFKA_BROKERS: "kafka:9093", KAFKA_USERNAME: "u", KAFKA_PASSWORD: "p" },
  ...{ SCHEMA_REGISTRY_URL: "http://schema-registry:8081", CONTROL_DB_HOST: "postgres" },
  ...{ CONTROL_DB_PASSWORD: "p", DEEPLENS_MASTER_KEY: `v1:${Buffer.alloc(32, 7).toString("base64")}` },
  IDENTITY_API_URL: "http://identity-api:5198",
};
const parse = (changes: Record<string, string>) =>
  parseConfig(identitySettings, { ...environment, ...changes }, identityRule);

test("rule 14: a request to the Identity API takes no longer than the fleet's longest call", () => {
  assert.equal(parse({}).IDENTITY_LONGEST_REQUEST_MS, 20_000);
  assert.throws(
    () => parse({ IDENTITY_LONGEST_REQUEST_MS: "45000" }),
    /IDENTITY_LONGEST_REQUEST_MS: must be at most LONGEST_CALL_MS \(30000\)/,
  );
  const patient = { IDENTITY_LONGEST_REQUEST_MS: "45000", LONGEST_CALL_MS: "45000" };
  assert.equal(parse(patient).IDENTITY_LONGEST_REQUEST_MS, 45_000);
});

test("rule 14: no worker says that its calls are shorter than they can be", () => {
  assert.throws(() => parse({ LONGEST_CALL_MS: "5000" }), /LONGEST_CALL_MS/);
});
