import { test } from "node:test";
import { assertNamesWhatIsMissing } from "@deeplens/testing/worker";

test("a process without its environment names every variable that it misses, and exits 78", () =>
  assertNamesWhatIsMissing(new URL("./main.ts", import.meta.url), [
    "KAFKA_BROKERS",
    "KAFKA_USERNAME",
    "KAFKA_PASSWORD",
    "SCHEMA_REGISTRY_URL",
    "CONTROL_DB_HOST",
    "CONTROL_DB_PASSWORD",
    "DEEPLENS_MASTER_KEY",
    "API_TOKEN",
  ]));
