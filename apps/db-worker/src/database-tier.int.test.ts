import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, it } from "node:test";
import { applicationRoleName, databaseName, type TierName, tiers } from "@deeplens/contracts";
import { lifeOperations, type Tenant } from "@deeplens/worker";
import { databaseLife } from "./database-life.ts";
import { databaseTier } from "./database-tier.ts";
import { backupConnections, databaseSecret, tenantDatabases } from "./tenant-databases.ts";
import type { TenantServer } from "./tenant-server.ts";
import { connected, openTenantServer, sweepPostgres, tenantAddress } from "./testing/postgres.ts";
import { permanently, type Stage, stageOf } from "./testing/stage.ts";
import { freshTenant } from "./testing/tenants.ts";

let server: TenantServer;
let tenant: Tenant;
let stage: Stage;
before(() => {
  server = openTenantServer();
});
after(() => server.pool.end());
beforeEach(async () => {
  tenant = freshTenant("tier");
  const operations = { ...lifeOperations(databaseLife(server)), tier: databaseTier(server) };
  stage = stageOf({ ...tenantDatabases(server), operations }, tenant);
  await stage.provision("free");
});
afterEach(() => sweepPostgres(server, tenant));

const limits = async () => {
  const { rows } = await server.pool.query<{ role: number; database: number; login: boolean }>(
    `SELECT rolconnlimit AS role, rolcanlogin AS login, datconnlimit AS database FROM pg_roles, pg_database
     WHERE rolname = $1 AND datname = $2`,
    [applicationRoleName(tenant.slug), databaseName(tenant.slug)],
  );
  return rows[0];
};
const limitsOf = (tier: TierName, login = true) => ({
  role: tiers[tier].databaseConnections,
  database: tiers[tier].databaseConnections + backupConnections,
  login,
});
const tierTo = (tier: string, preview = "false") => stage.act("tier", "a resize", { tier, preview });

// Seen to fail with a preview that limits, and with a limit of the role alone.
it("a tier limits role and database, there and back; a preview tells who is connected and changes nothing", async () => {
  const address = tenantAddress(server, tenant, await stage.secret(databaseSecret));
  await connected(address, async () => {
    const { outputs } = await tierTo("enterprise", "true");
    assert.deepEqual(outputs, {
      connectionLimit: String(tiers.enterprise.databaseConnections),
      connectionsInUse: "1",
      overConnections: "false",
    });
    assert.deepEqual(await limits(), limitsOf("free"));
  });
  for (const tier of ["enterprise", "enterprise", "free"] as const) {
    await tierTo(tier);
    assert.deepEqual(await limits(), limitsOf(tier));
  }
  await assert.rejects(tierTo("platinum"), permanently("tier-unknown"));
});

it("more connections than the tier allows are told, and stay", async () => {
  await tierTo("professional");
  const address = tenantAddress(server, tenant, await stage.secret(databaseSecret));
  const many = async (count: number): Promise<void> =>
    connected(address, async (client) => {
      if (count > 1) return many(count - 1);
      assert.equal((await tierTo("free", "true")).outputs.overConnections, "true");
      assert.equal((await tierTo("free")).outputs.overConnections, "true");
      await client.query("SELECT 1");
    });
  await many(tiers.free.databaseConnections + 1);
});

it("a suspended tenant's tier can change, and it stays suspended", async () => {
  await stage.act("suspend");
  await tierTo("professional");
  assert.deepEqual(await limits(), limitsOf("professional", false));
});
