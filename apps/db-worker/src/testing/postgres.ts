import assert from "node:assert/strict";
import {
  applicationRoleName,
  backupRoleName,
  databaseName,
  ownerRoleName,
  replacedDatabaseName,
  restoredDatabaseName,
} from "@deeplens/contracts";
import { createClient, createPool, type DatabaseAddress, quoteIdentifier } from "@deeplens/postgres";
import { createLogger } from "@deeplens/telemetry";
import { stack } from "@deeplens/testing";
import type { Tenant } from "@deeplens/worker";
import type pg from "pg";
import { maintenanceDatabase, statementMs, type TenantServer } from "../tenant-server.ts";

/** The test installation's Postgres server; end its pool when done. */
export const openTenantServer = (): TenantServer => {
  const { host, port, adminUser, password } = stack().tenantDb;
  const pool = createPool(
    { host, port, database: maintenanceDatabase, user: adminUser, password },
    { name: "db-worker tests", log: createLogger("test", "silent"), statementMs },
  );
  return { host, port, adminUser, adminPassword: password, pool };
};

/** The address of a tenant's database as its application role. */
export const tenantAddress = (
  server: TenantServer,
  tenant: Tenant,
  password: string,
  login: 1 | 2 = 1,
): DatabaseAddress => ({
  host: server.host,
  port: server.port,
  database: databaseName(tenant.slug),
  user: applicationRoleName(tenant.slug, login),
  password,
});

const rolesOf = ({ slug }: Tenant): string[] => [
  applicationRoleName(slug),
  applicationRoleName(slug, 2),
  backupRoleName(slug),
  ownerRoleName(slug),
];

/** Runs `work` connected to that address, and closes the connection. */
export const connected = async <T>(
  address: DatabaseAddress,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> => {
  const client = createClient(address, "db-worker tests");
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

/** The tenant's databases and roles by name, each with its comment: what stands in the server now. */
export const postgresThings = async (server: TenantServer, tenant: Tenant): Promise<string[]> => {
  const { rows } = await server.pool.query<{ thing: string }>(
    `SELECT concat_ws(' ', 'role', rolname, shobj_description(oid, 'pg_authid')) AS thing FROM pg_roles
       WHERE rolname = ANY ($1) OR strpos(shobj_description(oid, 'pg_authid'), $2) > 0
     UNION ALL SELECT 'database ' || datname FROM pg_database WHERE datname = ANY ($1) ORDER BY 1`,
    [
      [databaseName, restoredDatabaseName, replacedDatabaseName]
        .map((name) => name(tenant.slug))
        .concat(rolesOf(tenant)),
      tenant.tenantId,
    ],
  );
  return rows.map((row) => row.thing);
};

export const assertNothingInPostgres = async (server: TenantServer, tenant: Tenant): Promise<void> =>
  assert.deepEqual(await postgresThings(server, tenant), []);

/** Removes whatever bears the tenant's names, whoever made it. */
export const sweepPostgres = async (server: TenantServer, tenant: Tenant): Promise<void> => {
  for (const name of [databaseName, restoredDatabaseName, replacedDatabaseName])
    await server.pool.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name(tenant.slug))} WITH (FORCE)`);
  for (const role of rolesOf(tenant)) await server.pool.query(`DROP ROLE IF EXISTS ${quoteIdentifier(role)}`);
};
