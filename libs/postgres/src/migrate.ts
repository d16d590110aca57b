import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { type Client, type Pool, quoteIdentifier, withConnection } from "./pool.ts";

// One lock for all migrations of a database: processes that start together wait for one another.
const lockKey = 4_711_001;

/**
 * Brings a schema of the database up to date: every `NNNN-title.sql` of the folder that was not run there yet, in
 * order, each in its own transaction with `search_path` set to the schema. Safe to call from many processes at once.
 *
 * @returns the names of the files that were run now
 * @throws when the database has a migration that the folder lacks (an older program on a newer database), or one that
 * was changed after it was run there
 */
export const migrate = (pool: Pool, schema: string, folder: URL): Promise<string[]> =>
  withConnection(pool, (client) => migrateClient(client, schema, folder));

/**
 * As migrate, on a connection that the caller holds: a tenant's database, say. After an error the caller closes it: that
 * ends the transaction and frees the lock, also where the connection is what broke.
 */
export const migrateClient = async (client: Client, schema: string, folder: URL): Promise<string[]> => {
  const files = (await readdir(folder)).filter((name) => /^\d{4}-.+\.sql$/.test(name)).sort();
  await client.query("SELECT pg_advisory_lock($1)", [lockKey]);
  await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`);
  const table = `${quoteIdentifier(schema)}.migrations`;
  await client.query(
    `CREATE TABLE IF NOT EXISTS ${table} (name text PRIMARY KEY, sha256 text, run_at timestamptz NOT NULL DEFAULT now())`,
  );
  // A table from before the digests has no such column: what is in it is taken as it is.
  const { rows } = await client.query<{ name: string; sha256: string | null }>(
    `SELECT name, to_jsonb(m) ->> 'sha256' AS sha256 FROM ${table} AS m`,
  );
  const done = new Set(rows.map((row) => row.name));
  const sqlOf = (name: string): Promise<string> => readFile(new URL(name, folder), "utf8");
  for (const { name, sha256 } of rows) {
    if (!files.includes(name))
      throw new Error(
        `schema ${schema} has migration ${name}, which this program lacks: it is older than its database`,
      );
    if (sha256 !== null && sha256 !== sha256Of(await sqlOf(name)))
      throw new Error(
        `migration ${name} was changed after schema ${schema} had run it: put it back, and make the change a migration of its own`,
      );
  }
  const missing = files.filter((name) => !done.has(name));
  if (missing.length > 0) await client.query(`ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS sha256 text`);
  for (const name of missing) await runOne(client, schema, table, name, await sqlOf(name));
  await client.query("SELECT pg_advisory_unlock($1)", [lockKey]);
  return missing;
};

const runOne = async (
  client: Client,
  schema: string,
  table: string,
  name: string,
  sql: string,
): Promise<void> => {
  try {
    await client.query("BEGIN");
    await client.query(`SET LOCAL search_path TO ${quoteIdentifier(schema)}`);
    await client.query(sql);
    await client.query(`INSERT INTO ${table} (name, sha256) VALUES ($1, $2)`, [name, sha256Of(sql)]);
    await client.query("COMMIT");
  } catch (error) {
    throw new Error(`migration ${schema}/${name}: ${(error as Error).message}`, { cause: error });
  }
};

const sha256Of = (text: string): string => createHash("sha256").update(text).digest("hex");
