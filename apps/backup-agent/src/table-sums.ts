import type { DatabasePart } from "@deeplens/backup";
import pg from "pg";

/**
 * How many rows each table holds, and the sum of a hash of each row: what a restore must give back, in any order. Exact;
 * to be called in a transaction, and sees what that sees.
 */
export const rowsAndChecksums = async (
  client: pg.Client,
  signal: AbortSignal,
): Promise<DatabasePart["tables"]> => {
  await client.query(sameTextEverywhere);
  const tables = await client.query<{ schema: string; table: string }>(tablesQuery);
  const summed: DatabasePart["tables"] = [];
  for (const { schema, table } of tables.rows) {
    signal.throwIfAborted();
    const name = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
    summed.push({ schema, table, ...(await sumsOf(client, name)) });
  }
  return summed;
};

type Sums = Pick<DatabasePart["tables"][number], "rows" | "checksum">;

/** By the hash of each row's values; by that of its text, which is slower, where a type has no hash. */
const sumsOf = async (client: pg.Client, table: string): Promise<Sums> => {
  const by = async (name: string, hash: string): Promise<Sums> => {
    const { rows } = await client.query<{ rows: string; checksum: string }>(
      `SELECT count(*) AS rows, coalesce(sum(${hash}::numeric), 0)::text AS checksum FROM ${table} AS "deeplens row"`,
    );
    return { rows: Number(rows[0]?.rows), checksum: `${name}:${rows[0]?.checksum ?? ""}` };
  };
  await client.query("SAVEPOINT sums");
  try {
    return await by("values", 'hash_record_extended("deeplens row", 0)');
  } catch (error) {
    if ((error as { code?: string }).code !== undefinedFunction) throw error;
    await client.query("ROLLBACK TO sums");
    return by("text", 'hashtextextended("deeplens row"::text, 0)');
  }
};

const undefinedFunction = "42883";

// A row's text follows these; what a database or a role sets differs from one server to the next.
const sameTextEverywhere = `
  SET datestyle = 'ISO, MDY'; SET intervalstyle = 'postgres'; SET timezone = 'UTC'; SET bytea_output = 'hex';
  SET extra_float_digits = 1; SET xmlbinary = 'base64'; SET search_path = ''`;

// The tables whose rows a dump holds: not those of an extension, which the extension brings itself.
const tablesQuery = `
  SELECT n.nspname AS schema, c.relname AS table
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    AND NOT EXISTS (
      SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`;
