import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import {
  applicationRoleName,
  backupRoleName,
  databaseName,
  ownerRoleName,
  tenantIdOf,
} from "@deeplens/contracts";
import { createClient, quoteIdentifier, quoteLiteral } from "@deeplens/postgres";
import type { Tenant } from "@deeplens/worker";
import { ddlLockKey } from "./ddl-session.ts";
import { ownerLabel } from "./owner-label.ts";
import { databaseSecret, tenantDatabases } from "./tenant-databases.ts";
import { adminAddress, maintenanceDatabase, type TenantServer } from "./tenant-server.ts";
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
beforeEach(() => {
  tenant = freshTenant("owner");
  stage = stageOf(tenantDatabases(server), tenant);
});
afterEach(() => sweepPostgres(server, tenant));

const asAdmin = (database: string) => adminAddress(server, database);

describe("what bears the tenant's name and is somebody else's", () => {
  it("a database made by hand is refused and keeps every byte", async () => {
    const database = databaseName(tenant.slug);
    await server.pool.query(`CREATE DATABASE ${quoteIdentifier(database)}`);
    await connected(asAdmin(database), (client) =>
      client.query("CREATE TABLE theirs (a text); INSERT INTO theirs VALUES ('kept')"),
    );
    const before = await fingerprint(database);
    await assert.rejects(stage.provision(), permanently("postgres-database-owned-by-other"));
    const receipt = await stage.compensate();
    assert.deepEqual(
      receipt.map(({ outcome }) => outcome),
      ["foreign", "removed", "removed", "removed"],
    );
    assert.deepEqual(await fingerprint(database), before);
    assert.deepEqual(await postgresThings(server, tenant), [`database ${database}`]);
  });

  for (const [whose, name] of [
    ["owner", ownerRoleName],
    ["application", applicationRoleName],
    ["backup", backupRoleName],
  ] as const)
    it(`a role made by hand in the place of the ${whose} role is refused and left as it is`, async () => {
      const role = name(tenant.slug);
      await server.pool.query(
        `CREATE ROLE ${quoteIdentifier(role)} LOGIN PASSWORD 'theirs' CONNECTION LIMIT 7`,
      );
      const before = await roleRow(role);
      await assert.rejects(stage.provision(), permanently("postgres-role-owned-by-other"));
      const receipt = await stage.compensate();
      assert.ok(receipt.some((line) => line.name === role && line.outcome === "foreign"));
      assert.deepEqual(await roleRow(role), before);
      assert.deepEqual(await postgresThings(server, tenant), [`role ${role}`]);
    });

  it("rule 12: another tenant's label wins over a row of ours in the ledger", async () => {
    const role = quoteIdentifier(applicationRoleName(tenant.slug));
    const other = ownerLabel(tenantIdOf("somebody", "else"), "deeplens-test");
    await stage.provision();
    await server.pool.query(`COMMENT ON ROLE ${role} IS ${quoteLiteral(other)}`);
    await assert.rejects(stage.provision(), permanently("postgres-role-owned-by-other"));
    const receipt = await stage.compensate();
    assert.deepEqual(
      receipt.map(({ outcome }) => outcome),
      ["removed", "foreign", "removed", "removed"],
    );
  });
});

describe("an undo destroys nothing that the saga did not put there", () => {
  for (const [what, sql] of [
    ["rows in a table of the template", "INSERT INTO collections (name) VALUES ('kept')"],
    ["a table that is not the template's", "CREATE TABLE extra (a text)"],
    ["a large object", "SELECT lo_from_bytea(0, 'kept')"],
  ] as const)
    it(`${what}: refused, and everything is still there`, async () => {
      await stage.provision();
      const things = await postgresThings(server, tenant);
      await connected(asAdmin(databaseName(tenant.slug)), (client) => client.query(sql));
      const before = await fingerprint(databaseName(tenant.slug));
      await assert.rejects(stage.compensate(), permanently("database-not-empty"));
      assert.deepEqual(await postgresThings(server, tenant), things);
      assert.deepEqual(await fingerprint(databaseName(tenant.slug)), before);
      await connected(tenantAddress(server, tenant, await stage.secret(databaseSecret)), (client) =>
        client.query("SELECT FROM collections"),
      );
    });

  it("open connections do not keep a database from being dropped", async () => {
    await stage.provision();
    const client = createClient(
      tenantAddress(server, tenant, await stage.secret(databaseSecret)),
      "db-worker tests",
    );
    const ended = new Promise<void>((resolve) => client.on("error", () => resolve()));
    await client.connect();
    await client.query("BEGIN; SELECT FROM images");
    await stage.compensate();
    await ended;
    await assertNothingInPostgres(server, tenant);
  });

  it("a role that owns things elsewhere is left, with the reason", async () => {
    await stage.provision();
    const theirs = freshTenant("elsewhere");
    const database = quoteIdentifier(databaseName(theirs.slug));
    const role = quoteIdentifier(applicationRoleName(tenant.slug));
    try {
      await server.pool.query(`CREATE DATABASE ${database}`);
      await server.pool.query(`GRANT CONNECT ON DATABASE ${database} TO ${role}`);
      await assert.rejects(stage.compensate(), permanently("postgres-role-in-use"));
    } finally {
      await sweepPostgres(server, theirs);
    }
    await stage.compensate();
    await assertNothingInPostgres(server, tenant);
  });
});

describe("the second key of a part, on the server where the DDL runs", () => {
  const holding = async (work: () => Promise<void>): Promise<{ ended: boolean }> => {
    const holder = createClient(asAdmin(maintenanceDatabase), "db-worker tests");
    let ended = false;
    holder.on("error", () => {
      ended = true;
    });
    await holder.connect();
    try {
      await holder.query("SELECT pg_advisory_lock($1)", [ddlLockKey(tenant.slug, "database")]);
      await work();
    } finally {
      await holder.end().catch((error) => {
        if (!ended) throw error; // a session that was ended has nothing left to end
      });
    }
    return { ended };
  };

  it("rule 13: an undo ends the session of a deposed handler that still holds it, and then undoes", async () => {
    await stage.provision();
    const holder = await holding(async () => void (await stage.compensate()));
    assert.equal(holder.ended, true);
    await assertNothingInPostgres(server, tenant);
  });

  it("rule 13: a provision waits until it is free, and ends nobody's session", async () => {
    const order: string[] = [];
    let provisioned: Promise<void> = Promise.resolve();
    const holder = await holding(async () => {
      provisioned = stage.provision().then(() => void order.push("provisioned"));
      await new Promise((resolve) => setTimeout(resolve, 300));
      order.push("freed");
    });
    await provisioned;
    assert.deepEqual(order, ["freed", "provisioned"]);
    assert.equal(holder.ended, false);
  });
});

// Everything that stands in the database, and how often anything in it was written.
const fingerprint = (database: string): Promise<unknown> =>
  connected(asAdmin(database), async (client) => {
    const { rows } = await client.query(
      `SELECT c.oid, c.relname, c.relfilenode, c.relacl::text, c.relowner, pg_relation_size(c.oid) AS bytes,
              (SELECT datacl::text || datdba || datconnlimit FROM pg_database WHERE datname = current_database()) AS database
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname !~ '^pg_' ORDER BY 1`,
    );
    return rows;
  });

const roleRow = async (name: string): Promise<unknown> => {
  const { rows } = await server.pool.query(
    "SELECT a.*, shobj_description(a.oid, 'pg_authid') FROM pg_authid a WHERE rolname = $1",
    [name],
  );
  return rows;
};
