import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { PartHealth, TenantHealth } from "@deeplens/client";
import { startFakeApi, tenantId, tenantOf } from "../testing/fake-api.ts";
import { runInProcess } from "../testing/run-cli.ts";

const home = mkdtempSync(join(tmpdir(), "health-"));
const state = join(home, "deeplens", "deeplens");
mkdirSync(state, { recursive: true });
writeFileSync(join(state, "token"), "a-token-of-the-tests");
after(() => rmSync(home, { recursive: true, force: true }));

const at = "2026-01-01T12:00:00.000Z";
const well: PartHealth = {
  ...{ part: "database", status: "well", checkedAt: at, since: at, code: null, reason: null },
  facts: {
    "postgres.ok": "true",
    "postgres.latencyMs": "12",
    "postgres.version": "17.2",
    "postgres.usedBytes": "7340032",
    "redis.ok": "true",
    "redis.latencyMs": "3",
  },
};
const ill: PartHealth = {
  ...{ part: "vectors", status: "ill", checkedAt: at, since: at, code: "vectors-drift" },
  reason: "vectors: the container is stopped",
  facts: { "vectors.ok": "false", "vectors.latencyMs": "2", "vectors.reason": "the container is stopped" },
};
const unknown: PartHealth = {
  ...{ part: "backup", status: "unknown", checkedAt: null, since: null, code: null, reason: null },
  facts: {},
};

const health = async (answer: Partial<TenantHealth>, ...args: readonly string[]) => {
  const body = { tenantId, slug: "acme", state: "ready", status: "well", parts: [], ...answer };
  const api = await startFakeApi({
    "POST /v1/tenants/acme/health": { status: 200, body },
    "GET /v1/tenants/acme/health": { status: 200, body: { ...body, parts: [] } },
    "GET /v1/tenants/acme": {
      status: 200,
      body: tenantOf({ sagaId: null, degraded: { since: at, reason: "database: Redis does not answer" } }),
    },
  });
  writeFileSync(
    join(state, "stack.json"),
    JSON.stringify({ api: { url: api.url, tokenFile: join(state, "token") } }),
  );
  try {
    return await runInProcess([...args], home);
  } finally {
    await api.close();
  }
};

test("health shows each thing of each part with its latency and what was seen, and ends with 0", async () => {
  const { code, stdout } = await health({ parts: [well] }, "health", "acme");
  assert.equal(code, 0);
  assert.match(stdout, /Tenant acme is ready: well\n/);
  assert.match(stdout, /database\/postgres +well +12 ms +version 17\.2, used 7 MiB\n/);
  assert.match(stdout, /database\/redis +well +3 ms/);
});

test("what is ill is told with its code and since when, and ends with 3", async () => {
  const { code, stdout } = await health({ status: "degraded", parts: [well, ill] }, "health", "acme");
  assert.equal(code, 3);
  assert.match(stdout, /vectors +ILL +2 ms +the container is stopped/);
  assert.match(
    stdout,
    /vectors is ill \(vectors-drift\) since 2026-01-01 12:00:00 UTC: vectors: the container/,
  );
});

test("a part whose worker has not looked is unknown, and ends with 4", async () => {
  const { code, stdout } = await health({ status: "unknown", parts: [well, unknown] }, "health", "acme");
  assert.equal(code, 4);
  assert.match(stdout, /backup +unknown +its worker has not looked yet/);
});

test("--last asks nothing anew, and --json gives it as it came", async () => {
  const { code, stdout } = await health({ parts: [well] }, "health", "acme", "--last", "--json");
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout).parts, []);
});

test("status says of a degraded tenant why and since when", async () => {
  const { stdout } = await health({}, "status", "acme");
  assert.match(
    stdout,
    /Tenant acme is ready, but degraded\n +degraded +database: Redis does not answer \(since/,
  );
});
