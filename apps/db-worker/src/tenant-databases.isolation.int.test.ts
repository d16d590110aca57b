import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { applicationRoleName, backupRoleName, databaseName, ownerRoleName, tiers } from "@deeplens/contracts";
import { quoteIdentifier, sqlStateOf } from "@deeplens/postgres";
import type { Tenant } from "@deeplens/worker";
import type pg from "pg";
import { backupConnections, databaseSecret, tenantDatabases } from "./tenant-databases.ts";
import type { TenantServer } from "./tenant-server.ts";
import { templateOf, templateTables } from "./tenant-template.ts";
import { connected, openTenantServer, sweepPostgres, tenantAddress } from "./testing/postgres.ts";
import { type Stage, stageOf } from "./testing/stage.ts";
import { freshTenant } from "./testing/tenants.ts";

const insufficientPrivilege = "42501";

let server: TenantServer;
let [ada, bob]: Stage[] = [];
const tenants: Tenant[] = [freshTenant("ada"), freshTenant("bob")];

before(async () => {
  server = openTenantServer();
  [ada, bob] = tenants.map((tenant) => stageOf(tenantDatabases(server), tenant));
  await ada?.provision("free");
  await bob?.provision("professional");
});
after(async () => {
  for (const tenant of tenants) await sweepPostgres(server, tenant);
  await server.pool.end();
});

const the = (stage: Stage | undefined): Stage => stage ?? assert.fail("the tenant was not provisioned");
const addressOf = async (stage: Stage) =>
  tenantAddress(server, stage.tenant, await stage.secret(databaseSecret));
const asAda = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> =>
  connected(await addressOf(the(ada)), work);
const refused = (error: unknown): boolean => sqlStateOf(error) === insufficientPrivilege;

describe("two tenants on one Postgres server", () => {
  it("a tenant connects to its own database", async () => {
    const { rows } = await asAda((client) => client.query("SELECT current_database() AS name"));
    assert.equal(rows[0]?.name, databaseName(the(ada).tenant.slug));
  });

  it("and to no other: not the neighbour's, not the server's own, not a template", async () => {
    const own = await addressOf(the(ada));
    const { rows } = await server.pool.query("SELECT datname FROM pg_database WHERE datname <> $1", [
      own.database,
    ]);
    const names: string[] = rows.map((row) => row.datname);
    for (const name of [databaseName(the(bob).tenant.slug), "postgres", "template1"]) {
      assert.ok(names.includes(name), name);
      await assert.rejects(
        connected({ ...own, database: name }, async () => undefined),
        refused,
        name,
      );
    }
  });

  it("PUBLIC may neither connect to a tenant's database nor make temporary tables there", async () => {
    for (const tenant of tenants) {
      const { rows } = await server.pool.query(
        `SELECT grantee, privilege_type FROM pg_database, aclexplode(datacl) WHERE datname = $1 AND grantee = 0`,
        [databaseName(tenant.slug)],
      );
      assert.deepEqual(rows, []);
    }
  });

  it("nobody knows the owner role's password: it has none and cannot log in", async () => {
    const { rows } = await server.pool.query(
      "SELECT rolcanlogin, rolpassword FROM pg_authid WHERE rolname = $1",
      [ownerRoleName(the(ada).tenant.slug)],
    );
    assert.deepEqual(rows, [{ rolcanlogin: false, rolpassword: null }]);
  });
});

describe("what the application role may do", () => {
  it("reads and writes every table of the template", async () => {
    for (const table of templateTables)
      for (const right of ["SELECT", "INSERT", "UPDATE", "DELETE"]) {
        const { rows } = await asAda((client) =>
          client.query("SELECT has_table_privilege($1, $2) AS may", [table, right]),
        );
        assert.deepEqual(rows, [{ may: true }], `${right} ${table}`);
      }
  });

  it("works with them: a collection, an image in it, a job and a day's usage", () =>
    asAda(async (client) => {
      await client.query("BEGIN");
      const { rows } = await client.query("INSERT INTO collections (name) VALUES ('cats') RETURNING id");
      const id = rows[0]?.id;
      await client.query(
        "INSERT INTO images (collection_id, object_key, content_type, size_bytes, sha256) VALUES ($1, 'a', 'image/png', 1, sha256('a'))",
        [id],
      );
      await client.query("INSERT INTO ingestion_jobs (collection_id, source) VALUES ($1, 'upload')", [id]);
      await client.query("INSERT INTO usage (day, metric, amount) VALUES (current_date, 'images', 1)");
      await client.query("DELETE FROM collections");
      assert.equal((await client.query("SELECT FROM images")).rowCount, 0);
      await client.query("ROLLBACK");
    }));

  for (const [what, sql] of [
    ["make a table", "CREATE TABLE mine (a text)"],
    ["make a temporary table", "CREATE TEMPORARY TABLE mine (a text)"],
    ["make a schema", "CREATE SCHEMA mine"],
    ["change a table", "ALTER TABLE images ADD COLUMN mine text"],
    ["drop a table", "DROP TABLE usage"],
    ["empty a table around its rules", "TRUNCATE images"],
    ["rewrite which migrations were run", "DELETE FROM migrations"],
    ["make a role", "CREATE ROLE mine"],
    ["make a database", "CREATE DATABASE mine"],
    ["become the owner", `SET ROLE ${quoteIdentifier(ownerRoleName(tenants[0]?.slug ?? assert.fail()))}`],
    ["read the passwords", "SELECT rolpassword FROM pg_authid"],
    ["read the server's files", "SELECT pg_read_file('postgresql.conf')"],
    ["run a program", "COPY (SELECT 1) TO PROGRAM 'true'"],
  ] as const)
    it(`does not ${what}`, () =>
      assert.rejects(
        asAda((client) => client.query(sql)),
        refused,
      ));

  it("gets its rights on a table that a later migration makes, too", async () => {
    const owner = quoteIdentifier(ownerRoleName(the(ada).tenant.slug));
    const { database } = await addressOf(the(ada));
    const { adminUser: user, adminPassword: password, host, port } = server;
    await connected({ host, port, database, user, password }, async (admin) => {
      await admin.query(`SET ROLE ${owner}; CREATE TABLE later (id serial, a text)`);
      try {
        await asAda((client) => client.query("INSERT INTO later (a) VALUES ('1')"));
      } finally {
        await admin.query("DROP TABLE later");
      }
    });
  });
});

describe("the database itself", () => {
  it("has the tables that the code knows as the template's, all of the owner role's", async () => {
    const { rows } = await asAda((client) =>
      client.query("SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"),
    );
    assert.deepEqual(
      rows.map((row) => row.tablename),
      [...templateTables, "migrations"].sort(),
    );
    assert.deepEqual(
      new Set(rows.map((row) => row.tableowner)),
      new Set([ownerRoleName(the(ada).tenant.slug)]),
    );
  });

  it("records the version of its template", async () => {
    const { version } = await templateOf("deeplens-test");
    const { rows } = await asAda((client) => client.query("SELECT max(name) AS name FROM migrations"));
    assert.ok(rows[0]?.name.startsWith(`${version}-`));
  });

  it("takes as many connections as the tenant's tier says", async () => {
    for (const [stage, tier] of [
      [the(ada), "free"],
      [the(bob), "professional"],
    ] as const) {
      const { rows } = await server.pool.query(
        "SELECT datconnlimit AS database, rolconnlimit AS role FROM pg_database, pg_roles WHERE datname = $1 AND rolname = $2",
        [databaseName(stage.tenant.slug), applicationRoleName(stage.tenant.slug)],
      );
      const limit = tiers[tier].databaseConnections;
      assert.deepEqual(rows, [{ database: limit + backupConnections, role: limit }]);
    }
  });

  it("is the same where there was no template to copy", async () => {
    const tenant = freshTenant("plain");
    const plain = stageOf(tenantDatabases(server, { copy: false }), tenant);
    try {
      await plain.provision();
      assert.deepEqual(await shapeOf(plain), await shapeOf(the(ada)));
    } finally {
      await sweepPostgres(server, tenant);
    }
  });
});

// Every column, constraint, index and right, with the tenant's own names put out of the way.
const shapeOf = async (stage: Stage): Promise<unknown> => {
  const { slug } = stage.tenant;
  return connected(await addressOf(stage), async (client) => {
    const { rows } = await client.query(
      `SELECT replace(replace(replace(line, $1, 'APP'), $2, 'OWNER'), $3, 'BACKUP') AS line FROM (
         SELECT concat_ws(' ', table_name, column_name, data_type, column_default, is_nullable) FROM information_schema.columns WHERE table_schema = 'public'
         UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
         UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
         UNION ALL SELECT relname || ' ' || relowner::regrole || ' ' || array(SELECT a::text FROM unnest(relacl) a ORDER BY 1)::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
         UNION ALL SELECT nspname || ' ' || array(SELECT a::text FROM unnest(nspacl) a ORDER BY 1)::text FROM pg_namespace WHERE nspname = 'public'
         UNION ALL SELECT defaclrole::regrole || defaclobjtype::text || ' ' || array(SELECT a::text FROM unnest(defaclacl) a ORDER BY 1)::text FROM pg_default_acl
       ) AS lines (line) ORDER BY 1`,
      [applicationRoleName(slug), ownerRoleName(slug), backupRoleName(slug)],
    );
    return rows;
  });
};
