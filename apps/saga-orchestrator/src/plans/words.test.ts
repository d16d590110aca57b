import assert from "node:assert/strict";
import { test } from "node:test";
import { tiers } from "@deeplens/contracts";
import type { TenantView } from "../api/tenant-store.ts";
import { type Use, useOf } from "./use.ts";
import { plannedActs, wordsOf } from "./words.ts";

const tenant: TenantView = {
  tenantId: "6f0c1c1e-6d0b-5d5e-9d0b-2f9f3b1d7a55",
  slug: "acme",
  name: "Acme",
  state: "ready",
  revision: 1,
  tier: "professional",
  limits: null,
  storageType: "deeplens",
  resources: {
    "database.database": "tenant_acme_metadata",
    "storage.bucket": "deeplens-acme",
    "vectors.httpPort": "6433",
  },
  degraded: null,
  sagaId: null,
  running: null,
  suspended: null,
  rotation: null,
  removal: null,
  replaced: null,
  createdAt: "2026-01-01T00:00:00.000Z",
  updatedAt: "2026-01-01T00:00:00.000Z",
};
const about = { tenant, told: {}, purgeAt: undefined, use: [] };
const seen = (facts: Record<string, string>): readonly Use[] =>
  useOf([{ part: "p", healthy: true, checkedAt: null, since: null, code: null, reason: null, facts }]);
const smaller = (facts: Record<string, string>) =>
  wordsOf("tier", { ...about, told: { tier: "free" }, use: seen(facts) });
const codes = (remarks: readonly { code: string }[] = []): string[] => remarks.map(({ code }) => code);

test("a smaller tier tells what would break: over its quota, over its connections", () => {
  const { free } = tiers;
  assert.deepEqual(
    codes(
      smaller({
        "postgres.connections": `${free.databaseConnections + 1} of 50`,
        "bucket.usedBytes": String(free.storageBytes + 1),
      }).warnings,
    ),
    ["over-connections", "over-quota"],
  );
  const fits = smaller({
    "postgres.connections": `${free.databaseConnections} of 50`,
    "bucket.usedBytes": String(free.storageBytes),
    "vectors.memoryBytes": String(free.vectorMemoryBytes),
  });
  assert.deepEqual([fits.warnings, fits.refusals], [[], []]);
  assert.equal(fits.wayBack, "tenantctl tier acme professional");
});

test("vectors with more memory in use than the tier allows are a refusal: they would be ended over and over", () => {
  const over = smaller({ "vectors.memoryBytes": String(tiers.free.vectorMemoryBytes + 1) });
  assert.deepEqual(codes(over.refusals), ["over-memory"]);
});

test("what is used is read from what the parts say of themselves", () => {
  assert.deepEqual(
    seen({
      "bucket.usedBytes": "5",
      "bucket.quotaBytes": "10",
      "postgres.usedBytes": "7",
      "redis.version": "7",
    }),
    [
      { thing: "bucket", measure: "bytes", value: 5, limit: 10 },
      { thing: "postgres", measure: "bytes", value: 7, limit: null },
    ],
  );
});

test("a removal names what goes, and until when it can be taken back; at once it can't be", () => {
  const later = wordsOf("remove", { ...about, purgeAt: "2026-01-08T00:00:00.000Z" });
  assert.deepEqual(
    later.goes?.map(({ name }) => name),
    ["tenant_acme_metadata", "deeplens-acme"],
  );
  assert.ok(later.does.some((what) => what.includes("2026-01-08")));
  assert.equal(later.wayBack, "tenantctl restore acme");
  const atOnce = wordsOf("remove", about);
  assert.ok(!atOnce.does.some((what) => what.includes("backup is taken")));
  assert.equal(atOnce.wayBack, null);
});

test("every act that is planned has words", () => {
  for (const act of plannedActs) assert.ok(wordsOf(act, about).does.length > 0, act);
});
