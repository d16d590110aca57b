import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import {
  type AgentSettings,
  type DatabasePart,
  type ListDump,
  passwordOf,
  writePart,
} from "@deeplens/backup";
import pg from "pg";
import { runTool, type Tool, versionIn } from "./tool.ts";

/** The tenant's database, as far as a backup needs it. */
export interface Database {
  /** Writes a dump to `path` and says what is in it. */
  dump(path: string, signal: AbortSignal): Promise<Omit<DatabasePart, "part" | "file">>;
  readonly listDump: ListDump;
  /** Rejects with the reason when it does not answer. */
  check(): Promise<void>;
}

const connectMs = 10_000;

/** The database by libpq's tools, which take the password from the file `pgpass`, and by one session of our own. */
export const postgresDatabase = (
  settings: AgentSettings["database"],
  options: { readonly pgpass: string; readonly path: string },
): Database => {
  const environment = { PATH: options.path, PGPASSFILE: options.pgpass, LC_ALL: "C.UTF-8" };
  const pgDump = (...options: string[]): Tool => ({ command: "pg_dump", arguments: options, environment });
  const listDump: ListDump = (path, signal) =>
    runTool({ command: "pg_restore", arguments: ["--list", path], environment }, signal, text);

  const connect = async (): Promise<pg.Client> => {
    // Read each time: a password that was replaced is taken up without a restart.
    const password = passwordOf(await readFile(options.pgpass, "utf8"));
    const client = new pg.Client({
      host: settings.host,
      port: settings.port,
      database: settings.database,
      user: settings.user,
      password,
      connectionTimeoutMillis: connectMs,
      application_name: "deeplens-backup",
    });
    // A lost session shows in the query that runs then; without a listener it would end the process.
    client.on("error", () => {});
    await client.connect();
    return client;
  };

  return {
    listDump,
    check: async () => {
      const client = await connect();
      try {
        await client.query("SELECT 1");
      } finally {
        await client.end();
      }
    },
    dump: async (path, signal) => {
      const toolVersion = versionIn(await runTool(pgDump("--version"), signal, text));
      const client = await connect();
      // A query that waits (for a lock, say) hears of no signal: a stop breaks its connection.
      // That it breaks is the query's own error.
      const stop = (): void => void client.end().catch(() => {});
      signal.addEventListener("abort", stop, { once: true });
      try {
        signal.throwIfAborted();
        const snapshot = await exportSnapshot(client);
        const tables = await countRows(client, signal);
        const digest = await runTool(
          pgDump(
            "--format=custom",
            "--no-password",
            "--lock-wait-timeout=60s",
            `--snapshot=${snapshot.id}`,
            `--host=${settings.host}`,
            `--port=${settings.port}`,
            `--username=${settings.user}`,
            `--dbname=${settings.database}`,
          ),
          signal,
          (output) => writePart(output, path, signal),
        );
        return {
          ...digest,
          database: settings.database,
          takenAt: snapshot.takenAt,
          serverVersion: snapshot.serverVersion,
          toolVersion: `pg_dump ${toolVersion}`,
          tables,
        };
      } finally {
        signal.removeEventListener("abort", stop);
        // The dump has its result or its error by now; a farewell that fails changes neither.
        await client.end().catch(() => {});
      }
    },
  };
};

/** Opens a transaction and lends out its snapshot: counts and dump then see the very same rows. */
const exportSnapshot = async (
  client: pg.Client,
): Promise<{ id: string; takenAt: string; serverVersion: string }> => {
  await client.query("SET idle_in_transaction_session_timeout = 0; SET statement_timeout = 0");
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  const { rows } = await client.query<{ id: string; taken_at: Date; version: string }>(
    "SELECT pg_export_snapshot() AS id, now() AS taken_at, current_setting('server_version') AS version",
  );
  const [row] = rows;
  if (row === undefined) throw new Error("Postgres gave no snapshot");
  return { id: row.id, takenAt: row.taken_at.toISOString(), serverVersion: versionIn(row.version) };
};

// The tables whose rows a dump holds: not those of an extension, which the extension brings itself.
const tablesQuery = `
  SELECT n.nspname AS schema, c.relname AS table
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    AND NOT EXISTS (
      SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  ORDER BY 1, 2`;

const countRows = async (client: pg.Client, signal: AbortSignal): Promise<DatabasePart["tables"]> => {
  const tables = await client.query<{ schema: string; table: string }>(tablesQuery);
  const counted: DatabasePart["tables"] = [];
  for (const { schema, table } of tables.rows) {
    signal.throwIfAborted();
    const name = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(table)}`;
    const { rows } = await client.query<{ rows: string }>(`SELECT count(*) AS rows FROM ${name}`);
    counted.push({ schema, table, rows: Number(rows[0]?.rows) });
  }
  return counted;
};
