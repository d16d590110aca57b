import assert from "node:assert/strict";
import { test } from "node:test";
import { pageOf, pageOnDisk } from "./page.ts";
import { spreadOf } from "./statistics.ts";

test("the page has each result with its command, place and time, and the findings last", () => {
  const page = pageOf("## Found\n\nmuch\n", [
    {
      command: "npm run bench -- engine",
      date: "2026-01-02 03:04",
      machine: "2 x CPU",
      versions: { Node: "24.0.0", Kafka: "4.1.1" },
      report: {
        bench: "engine",
        runs: 3,
        variants: { "": spreadOf([{ p50_ms: 1 }, { p50_ms: 3 }, { p50_ms: 2 }]) },
      },
    },
  ]);
  assert.match(page, /^# Performance\n/);
  assert.match(
    page,
    /## `npm run bench -- engine`\n\n2026-01-02 03:04 UTC on 2 x CPU; Node 24.0.0, Kafka 4.1.1\./,
  );
  assert.match(page, /p50_ms +2 +\(1 to 3\)/);
  assert.ok(page.endsWith("## Found\n\nmuch\n"));
});

test("docs/performance.md is made of what lies in docs/performance", () => {
  const { is, wanted } = pageOnDisk();
  assert.equal(is, wanted, "run `npm run generate`, then commit what changed");
});
