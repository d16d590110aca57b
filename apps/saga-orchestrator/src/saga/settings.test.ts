import assert from "node:assert/strict";
import { test } from "node:test";
import { assert as hold, integer, property, string } from "fast-check";
import { backOffOf, defaultSettings } from "./settings.ts";

const settings = { ...defaultSettings, backOffMs: 1_000, backOffMaxMs: 60_000 };

test("back-off lies between half and the whole of its step, and never above the most", async () => {
  await hold(
    property(string(), string(), integer({ min: 1, max: 60 }), (sagaId, step, attempt) => {
      const wholeMs = Math.min(1_000 * 2 ** (attempt - 1), 60_000);
      const ms = backOffOf(settings, sagaId, step, attempt);
      assert.ok(Number.isInteger(ms) && ms >= wholeMs / 2 && ms <= wholeMs, `${ms} of ${wholeMs}`);
    }),
  );
});

test("back-off is the same for the same try, and spread over sagas", () => {
  const times = Array.from({ length: 100 }, (_, saga) => backOffOf(settings, `saga ${saga}`, "database", 5));
  assert.deepEqual(
    times,
    Array.from({ length: 100 }, (_, saga) => backOffOf(settings, `saga ${saga}`, "database", 5)),
  );
  assert.ok(new Set(times).size > 80);
  assert.ok(Math.max(...times) - Math.min(...times) > 6_000, "the jitter uses its room of 8 s");
});
