import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import {
  type Client,
  inTransaction,
  migrateClient,
  type PoolClient,
  type Queryable,
  quoteIdentifier,
  quoteLiteral,
  withConnection,
} from "@deeplens/postgres";
import { adminAddress, type TenantServer, withClient } from "./tenant-server.ts";

// A tenant's database is a copy of a template database, which is made once for each version of the migrations: a copy
// is one statement, and a tenant never meets a migration that fails half-way. The template is built under another
// name and renamed when it is whole, so a database of its name can be used. Nobody can connect to it (a session on it
// would block copies). Where there is none a tenant's database is migrated by itself: the result is the same.

const ownFolder = new URL("../template/", import.meta.url);

/** The tables of a tenant's database; held equal to the migrations by a test. */
export const templateTables = ["collections", "images", "ingestion_jobs", "usage"] as const;
export const templateSchema = "public";
// Beside the files a template holds the table that says which were run: in another form it is another template.
const tableOfMigrations = "name, sha256, run_at";
export const migrationsTable = "migrations";

export interface Template {
  readonly database: string;
  /** Owns the tables in the template; a copy hands them over to the tenant's owner role. */
  readonly role: string;
  /** The number of the newest migration: `0001`. */
  readonly version: string;
  /** The migrations. */
  readonly folder: URL;
}

/** The template of this program's migrations (or of another folder's), by name; makes nothing. */
export const templateOf = async (installation: string, folder = ownFolder): Promise<Template> => {
  const files = (await readdir(folder)).filter((name) => /^\d{4}-.+\.sql$/.test(name)).sort();
  const digest = createHash("sha256").update(tableOfMigrations);
  for (const file of files) digest.update(file).update(await readFile(new URL(file, folder)));
  const prefix = installation.replaceAll("-", "_");
  const version = files.at(-1)?.slice(0, 4) ?? "0000";
  return {
    database: `${prefix}_template_${version}_${digest.digest("hex").slice(0, 8)}`,
    role: `${prefix}_template_owner`,
    version,
    folder,
  };
};

/** Runs on a tenant's (or the template's) database what of the migrations is missing there. */
export const migrateTenantDatabase = (client: Client, { folder }: Template): Promise<string[]> =>
  migrateClient(client, templateSchema, folder);

/** The version of a tenant's database: the number of the newest migration that was run there, "" where none was. */
export const templateVersionIn = async (database: Queryable): Promise<string> => {
  const { rows } = await database.query<{ name: string | null }>(
    `SELECT max(name) AS name FROM ${templateSchema}.${migrationsTable}`,
  );
  return rows[0]?.name?.slice(0, 4) ?? "";
};

/** Makes the template database where it is missing. Safe to call from many processes at once. */
export const ensureTemplate = async (
  server: TenantServer,
  template: Template,
  signal: AbortSignal,
): Promise<void> => {
  if (await exists(server, template)) return;
  await inTransaction(server.pool, async (client) => {
    await client.query("SELECT pg_advisory_xact_lock(hashtext($1))", [template.role]);
    const { rowCount } = await client.query("SELECT FROM pg_roles WHERE rolname = $1", [template.role]);
    if (rowCount !== 0) return;
    const role = quoteIdentifier(template.role);
    await client.query(`CREATE ROLE ${role} NOLOGIN`);
    await client.query(
      `COMMENT ON ROLE ${role} IS ${quoteLiteral("deeplens: owns the tables of the template of tenants' databases")}`,
    );
  });
  await withConnection(server.pool, async (session) => {
    await session.query("SELECT pg_advisory_lock(hashtext($1))", [template.database]);
    if (!(await exists(server, template))) await build(session, server, template, signal);
    await session.query("SELECT pg_advisory_unlock(hashtext($1))", [template.database]);
  });
};

const exists = async (server: TenantServer, template: Template): Promise<boolean> => {
  const { rowCount } = await server.pool.query(
    "SELECT FROM pg_database WHERE datname = $1 AND datistemplate",
    [template.database],
  );
  return rowCount === 1;
};

const build = async (
  session: PoolClient,
  server: TenantServer,
  template: Template,
  signal: AbortSignal,
): Promise<void> => {
  const name = `${template.database}_building`;
  const building = quoteIdentifier(name);
  const role = quoteIdentifier(template.role);
  await session.query(`DROP DATABASE IF EXISTS ${building} WITH (FORCE)`);
  await session.query(
    `CREATE DATABASE ${building} TEMPLATE template0 ENCODING 'UTF8' ALLOW_CONNECTIONS true CONNECTION LIMIT 0`,
  );
  await session.query(
    `REVOKE ALL ON DATABASE ${building} FROM PUBLIC; GRANT CREATE ON DATABASE ${building} TO ${role}`,
  );
  await withClient(adminAddress(server, name), signal, async (client) => {
    await client.query(
      `REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE, CREATE ON SCHEMA public TO ${role}; SET ROLE ${role}`,
    );
    await migrateTenantDatabase(client, template);
  });
  await session.query(`REVOKE ALL ON DATABASE ${building} FROM ${role}`);
  await session.query(`ALTER DATABASE ${building} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true`);
  await session.query(`ALTER DATABASE ${building} RENAME TO ${quoteIdentifier(template.database)}`);
};
