import assert from "node:assert/strict";
import { it } from "node:test";
import { ConfigurationError, parseConfig } from "@deeplens/service";
import { settings } from "./config.ts";

it("every variable that is missing is named at once", () => {
  assert.throws(
    () => parseConfig(settings, { KAFKA_BROKERS: "kafka:9093", REDIS_PORT: "seven" }),
    (error) => {
      assert.ok(error instanceof ConfigurationError);
      for (const name of ["TENANT_DB_HOST", "TENANT_DB_ADMIN_PASSWORD", "REDIS_HOST", "REDIS_PORT"])
        assert.ok(
          error.problems.some((problem) => problem.startsWith(`${name}:`)),
          name,
        );
      return true;
    },
  );
});
