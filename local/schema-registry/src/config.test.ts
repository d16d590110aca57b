import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { parseConfig } from "./config.ts";

test("every variable that is missing or wrong is named at once", () => {
  assert.throws(
    () => parseConfig({ KAFKA_BROKERS: "kafka:9093", PORT: "80x" }),
    /KAFKA_USERNAME[\s\S]*KAFKA_PASSWORD_FILE[\s\S]*PORT/,
  );
});

test("the password is read from its file", () => {
  const folder = mkdtempSync(join(tmpdir(), "registry-"));
  try {
    const file = join(folder, "password");
    writeFileSync(file, "secret\n");
    const environment = { KAFKA_BROKERS: "kafka:9093", KAFKA_USERNAME: "u", KAFKA_PASSWORD_FILE: file };
    assert.equal(parseConfig(environment).kafkaPassword, "secret");
    assert.throws(
      () => parseConfig({ ...environment, KAFKA_PASSWORD_FILE: `${file}x` }),
      /KAFKA_PASSWORD_FILE/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
