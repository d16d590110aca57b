import { type Queryable, quoteIdentifier } from "@deeplens/postgres";
import { migrationsTable, templateSchema, templateTables } from "./tenant-template.ts";

const relations = `
  SELECT n.nspname AS schema, c.relname AS name
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  ORDER BY 1, 2`;

const known = new Set([...templateTables, migrationsTable].map((table) => `${templateSchema}.${table}`));

/**
 * What is in a tenant's database that its saga did not put there: relations that are not the template's, template
 * tables that hold rows, large objects. Before a tenant is ready only an empty answer lets the database be dropped.
 */
export const foreignContents = async (database: Queryable): Promise<readonly string[]> => {
  const { rows } = await database.query<{ schema: string; name: string }>(relations);
  const found = rows.map(({ schema, name }) => `${schema}.${name}`);
  const foreign = found.filter((name) => !known.has(name));
  const ours = templateTables.filter((table) => found.includes(`${templateSchema}.${table}`));
  const filled = ours.map(
    (table) =>
      `SELECT 'rows in ${table}' AS what WHERE EXISTS (SELECT FROM ${templateSchema}.${quoteIdentifier(table)})`,
  );
  const largeObjects = "SELECT 'large objects' AS what WHERE EXISTS (SELECT FROM pg_largeobject_metadata)";
  const answer = await database.query<{ what: string }>([...filled, largeObjects].join(" UNION ALL "));
  return [...foreign, ...answer.rows.map(({ what }) => what)];
};
