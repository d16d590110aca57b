import assert from "node:assert/strict";
import { test } from "node:test";
import type { TenantProvisioningRequested } from "./generated/messages.ts";
import { specOf } from "./requests.ts";
import { storageRequestOf } from "./storage-model.ts";
import { tierOf, tiers } from "./tiers.ts";

const request: TenantProvisioningRequested = {
  requestId: "order-1",
  name: "Acme Corp",
  tier: "free",
  storage: storageRequestOf({ type: "deeplens" }),
  administrator: { email: "ada@acme.example", firstName: "Ada", lastName: "Lovelace" },
  requestedAt: "2026-11-24T10:00:00.000Z",
};
const administrator = (change: Partial<TenantProvisioningRequested["administrator"]>) => ({
  ...request,
  administrator: { ...request.administrator, ...change },
});
const refusal = (asked: TenantProvisioningRequested) => {
  const result = specOf(asked);
  return result.ok ? assert.fail(`taken: ${JSON.stringify(asked)}`) : result.rejection;
};

test("a request that keeps every rule becomes what the tenant is to be", () => {
  assert.deepEqual(specOf(request), {
    ok: true,
    spec: {
      name: "Acme Corp",
      slug: "acme-corp",
      tier: "free",
      storage: { type: "deeplens" },
      administrator: request.administrator,
    },
  });
  for (const tier of ["Free", "PROFESSIONAL", "enterprise"]) assert.ok(specOf({ ...request, tier }).ok, tier);
  assert.ok(specOf({ ...request, storage: { ...request.storage, type: "none" } }).ok);
});

test("every refusal names the field and the rule", () => {
  const long = "x".repeat(500);
  for (const [asked, code, field] of [
    [{ ...request, name: "../" }, "name-invalid", "name"],
    [{ ...request, name: "" }, "name-empty", "name"],
    [{ ...request, name: "admin" }, "name-reserved", "name"],
    [{ ...request, tier: "gold" }, "tier-unknown", "tier"],
    [{ ...request, tier: "" }, "tier-unknown", "tier"],
    [{ ...request, tier: "__proto__" }, "tier-unknown", "tier"],
    [{ ...request, storage: { ...request.storage, type: "tape" } }, "storage-unknown", "storage"],
    [administrator({ email: "" }), "administrator-email", "administrator.email"],
    [administrator({ email: "ada" }), "administrator-email", "administrator.email"],
    [administrator({ email: "ada@localhost" }), "administrator-email", "administrator.email"],
    [
      administrator({ email: "ada@acme.example, eve@evil.example" }),
      "administrator-email",
      "administrator.email",
    ],
    [administrator({ email: "Ada <ada@acme.example>" }), "administrator-email", "administrator.email"],
    [administrator({ email: "ada\r\nBcc:x@y.example" }), "administrator-email", "administrator.email"],
    [administrator({ email: "ada\u202e@acme.example" }), "administrator-email", "administrator.email"],
    [administrator({ email: `${long}@acme.example` }), "administrator-email", "administrator.email"],
    [administrator({ firstName: " " }), "administrator-name", "administrator.firstName"],
    [administrator({ firstName: "A\0da" }), "administrator-name", "administrator.firstName"],
    [administrator({ lastName: "" }), "administrator-name", "administrator.lastName"],
    [administrator({ lastName: long }), "administrator-name", "administrator.lastName"],
  ] as const) {
    const rejection = refusal(asked);
    assert.equal(rejection.code, code, JSON.stringify(asked));
    assert.ok(rejection.message.startsWith(`${field}: `), rejection.message);
    assert.ok(rejection.message.length < 300, "what was sent is not sent back whole");
  }
});

test("names of people in any script are taken", () => {
  assert.ok(specOf(administrator({ firstName: "Zoë", lastName: "Ó Súilleabháin-武" })).ok);
});

test("the tiers are those of the design, and each allows more than the one below it", () => {
  const gib = 1024 ** 3;
  assert.deepEqual(
    Object.values(tiers).map(({ storageBytes, users, apiCallsPerDay }) => [
      storageBytes / gib,
      users,
      apiCallsPerDay,
    ]),
    [
      [1, 5, 1_000],
      [50, 50, 50_000],
      [500, 1_000, 1_000_000],
    ],
  );
  const { free, professional, enterprise } = tiers;
  for (const limit of ["databaseConnections", "vectorMemoryBytes", "vectorCpus"] as const)
    assert.ok(free[limit] < professional[limit] && professional[limit] < enterprise[limit], limit);
  assert.equal(tierOf("Enterprise"), "enterprise");
  assert.equal(tierOf("toString"), undefined);
});
