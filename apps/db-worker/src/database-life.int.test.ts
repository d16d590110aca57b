import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, it } from "node:test";
import { databaseName, replacedDatabaseName, restoredDatabaseName } from "@deeplens/contracts";
import { type Client, createClient, quoteIdentifier } from "@deeplens/postgres";
import { lifeOperations, type Tenant } from "@deeplens/worker";
import { databaseLife } from "./database-life.ts";
import { restoreOperations } from "./restore.ts";
import { databaseSecret, tenantDatabases } from "./tenant-databases.ts";
import { adminAddress, type TenantServer } from "./tenant-server.ts";
import {
  assertNothingInPostgres,
  connected,
  openTenantServer,
  postgresThings,
  sweepPostgres,
  tenantAddress,
} from "./testing/postgres.ts";
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
  tenant = freshTenant("life");
  stage = stageOf(
    {
      ...tenantDatabases(server),
      operations: { ...lifeOperations(databaseLife(server)), ...restoreOperations(server) },
    },
    tenant,
  );
  await stage.provision();
});
afterEach(() => sweepPostgres(server, tenant));

const address = async () => tenantAddress(server, tenant, await stage.secret(databaseSecret));
const asTenant = async <T>(sql: string): Promise<T[]> =>
  connected(await address(), async (client) => (await client.query(sql)).rows as T[]);
const endOf = (client: Client): Promise<void> =>
  new Promise((resolve) => {
    client.once("end", () => resolve());
  });
const open = async () => {
  const client = createClient(await address(), "a tenant's own");
  client.on("error", () => undefined);
  await client.connect();
  return client;
};

// Seen to fail without the end of the sessions (the open one goes on), and without NOLOGIN and REVOKE.
it("rule 17: suspended, open sessions are ended and new ones refused; resumed, all rows are there under the same password", async () => {
  await asTenant("INSERT INTO collections (name) VALUES ('summer')");
  const session = await open();
  const ended = endOf(session);
  const password = await stage.secret(databaseSecret);
  const { receipt } = await stage.act("suspend");
  await ended;
  assert.deepEqual(
    receipt.map(({ outcome }) => outcome),
    ["refused", "refused"],
  );
  await assert.rejects(open(), { code: "28000" });
  // The same answer again.
  assert.deepEqual((await stage.act("suspend")).receipt, receipt);
  const resumed = await stage.act("resume", "resume");
  assert.equal(resumed.receipt[0]?.outcome, "answers");
  assert.deepEqual(await asTenant("SELECT name FROM collections"), [{ name: "summer" }]);
  assert.equal(await stage.secret(databaseSecret), password);
  await stage.act("resume", "resume");
});

it("rule 17: purge destroys the database with its rows, though somebody is connected, and finds nothing the second time", async () => {
  await asTenant("INSERT INTO collections (name) VALUES ('summer')");
  await stage.act("suspend");
  const administrator = createClient(adminAddress(server, databaseName(tenant.slug)), "an administrator");
  administrator.on("error", () => undefined);
  await administrator.connect();
  const ended = endOf(administrator);
  const { receipt } = await stage.act("purge");
  await ended;
  assert.deepEqual(
    receipt.map(({ outcome }) => outcome),
    ["removed", "removed", "removed", "removed"],
  );
  await assertNothingInPostgres(server, tenant);
  const again = await stage.act("purge", "removal", { purpose: "second-look" });
  assert.deepEqual(
    again.receipt.map(({ outcome }) => outcome),
    ["absent", "absent", "absent", "absent"],
  );
  assert.ok(stage.ledger.rows().every(({ state }) => state === "gone"));
});

// Seen to fail with a purge that knows the live database alone.
it("rule 17: purge takes what restores left beside the live database with it", async () => {
  await stage.act("restore-open", "a restore");
  await stage.act("restore-switch", "a restore");
  await stage.act("restore-open", "another restore");
  await stage.act("suspend");
  const { receipt } = await stage.act("purge");
  assert.deepEqual(
    receipt
      .filter(({ kind }) => kind === "postgres-database")
      .map(({ name, outcome }) => `${name} ${outcome}`),
    [databaseName, restoredDatabaseName, replacedDatabaseName].map((name) => `${name(tenant.slug)} removed`),
  );
  await assertNothingInPostgres(server, tenant);
});

// Seen to fail with lifeOperations and removeResource that ask for no mark.
it("rule 17: a purge without the mark, or with another saga's, leaves every byte", async () => {
  await asTenant("INSERT INTO collections (name) VALUES ('summer')");
  await assert.rejects(stage.act("purge"), permanently("not-marked"));
  await stage.act("suspend", "another removal");
  await assert.rejects(stage.act("purge"), permanently("not-marked"));
  await stage.act("resume", "undelete");
  await assert.rejects(stage.act("purge", "another removal"), permanently("not-marked"));
  assert.deepEqual(await asTenant("SELECT name FROM collections"), [{ name: "summer" }]);
});

it("rule 17: a database of the same name that is somebody else's now is left as it is", async () => {
  await stage.act("suspend");
  const database = quoteIdentifier(databaseName(tenant.slug));
  await server.pool.query(`DROP DATABASE ${database}`);
  await server.pool.query(`CREATE DATABASE ${database}`);
  const { receipt } = await stage.act("purge");
  assert.deepEqual(
    receipt.map(({ outcome }) => outcome),
    ["foreign", "removed", "removed", "removed"],
  );
  assert.deepEqual(await postgresThings(server, tenant), [`database ${databaseName(tenant.slug)}`]);
  await assert.rejects(stage.act("suspend"), permanently("postgres-database-owned-by-other"));
});

// Seen to fail with a suspend that leaves the role alone where its database is gone.
it("rule 17: a database that somebody removed is not resumed; its role is shut out all the same", async () => {
  await server.pool.query(`DROP DATABASE ${quoteIdentifier(databaseName(tenant.slug))}`);
  const { receipt } = await stage.act("suspend");
  assert.deepEqual(
    receipt.map(({ outcome }) => outcome),
    ["absent", "refused"],
  );
  await assert.rejects(
    connected({ ...(await address()), database: "postgres" }, async () => undefined),
    {
      code: "28000",
    },
  );
  await assert.rejects(stage.act("resume"), permanently("postgres-database-missing"));
});
