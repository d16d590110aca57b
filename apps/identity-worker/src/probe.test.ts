import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { Slug, TenantId } from "@deeplens/contracts";
import { testContext } from "@deeplens/worker/testing";
import { fakeIdentityApi } from "./identity.fixture.ts";
import { identityApi } from "./identity-api.ts";
import { probeIdentity } from "./probe.ts";

const fake = await fakeIdentityApi();
after(() => fake.close());
const tenant = {
  tenantId: "6f0c1c1e-6d0b-5d5e-9d0b-2f9f3b1d7a55" as TenantId,
  slug: "acme" as Slug,
  name: "Acme",
};

const probe = async (url = fake.url): Promise<Readonly<Record<string, string>>> => {
  const identity = { api: identityApi(url), longestRequestMs: 1_000 };
  const asked = { sagaId: "", operation: "probe", parameters: {}, inputs: { "identity.tenantId": "id-1" } };
  const context = testContext({ step: "identity", tenant, fence: 0 });
  return (await probeIdentity(identity)({ tenant, tier: "free", storage: "none", ...asked }, context))
    .outputs;
};

const known = { name: "Acme", slug: "acme", databaseName: "d", minioBucket: undefined, administrators: [] };

test("the tenant that was made is there", async () => {
  fake.tenants.set("acme", { ...known, id: "id-1" });
  const seen = await probe();
  assert.deepEqual([seen.ok, seen["identity.tenant"]], ["true", "id-1"]);
});

test("a tenant that is gone, or another one of its name, is drift; an API that is away is not", async () => {
  fake.tenants.delete("acme");
  assert.match((await probe()).reason ?? "", /has no tenant acme/);
  fake.tenants.set("acme", { ...known, id: "id-2" });
  const other = await probe();
  assert.deepEqual(other.code, "identity-drift");
  assert.match(other.reason ?? "", /acme is id-2, and id-1 was made/);
  assert.equal((await probe("http://127.0.0.1:9")).code, "identity-unreachable");
});
