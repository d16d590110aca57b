import { readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { type DatabasePart, type Digest, type ListDump, passwordOf } from "@deeplens/backup";
import pg from "pg";
import { allOrNone } from "./all-or-none.ts";
import { rowsAndChecksums } from "./table-sums.ts";
import { runTool, type Tool, versionIn } from "./tool.ts";

/** A database, as far as backing it up and restoring into it need it. */
export interface Database {
  /** Hands a dump to `write`, and says what is in it. */
  dump(
    write: (dump: Readable) => Promise<Digest>,
    signal: AbortSignal,
  ): Promise<Omit<DatabasePart, "part" | "file" | "compression">>;
  /** Restores a dump into it; everything then belongs to the role that does. */
  restore(dump: AsyncIterable<Buffer>, signal: AbortSignal): Promise<void>;
  /** What is in its tables now. */
  tables(signal: AbortSignal): Promise<DatabasePart["tables"]>;
  readonly listDump: ListDump;
  /** Rejects with the reason when it does not answer. */
  check(): Promise<void>;
  /** Its schemas, those of the system and an empty `public` left out. */
  schemas(): Promise<readonly string[]>;
  /** Drops schemas with all that is in them, in one transaction. */
  dropSchemas(names: readonly string[]): Promise<void>;
  /** Who else is connected, by the names that they gave. */
  otherSessions(): Promise<readonly string[]>;
  /** The same server's database of another name. */
  beside(database: string): Database;
}

export interface DatabaseServer {
  /** A name or an address, or the folder of a socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

const connectMs = 10_000;
const dropMs = 60_000;

/** The database by libpq's tools, which take the password from the file `pgpass`, and by one session of our own. */
export const postgresDatabase = (
  server: DatabaseServer,
  options: { readonly pgpass: string; readonly path: string },
): Database => {
  const environment = { PATH: options.path, PGPASSFILE: options.pgpass, LC_ALL: "C.UTF-8" };
  const pgDump = (...options: string[]): Tool => ({ command: "pg_dump", arguments: options, environment });
  const where = [
    "--no-password",
    `--host=${server.host}`,
    `--port=${server.port}`,
    `--username=${server.user}`,
    `--dbname=${server.database}`,
  ];

  const connect = async (): Promise<pg.Client> => {
    // Read each time: a password that was replaced is taken up without a restart.
    const password = server.host.startsWith("/")
      ? undefined
      : passwordOf(await readFile(options.pgpass, "utf8"));
    const client = new pg.Client({
      ...server,
      password,
      connectionTimeoutMillis: connectMs,
      application_name: "deeplens-backup",
    });
    // A lost session shows in the query that runs then; without a listener it would end the process.
    client.on("error", () => {});
    await client.connect();
    return client;
  };

  /** A session for as long as `work` takes. A query that waits (for a lock, say) hears of no signal: a stop breaks it. */
  const connected = async <T>(signal: AbortSignal, work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = await connect();
    // That its connection breaks is the query's own error.
    const stop = (): void => void client.end().catch(() => {});
    signal.addEventListener("abort", stop, { once: true });
    try {
      signal.throwIfAborted();
      return await work(client);
    } finally {
      signal.removeEventListener("abort", stop);
      // The work has its result or its error by now; a farewell that fails changes neither.
      await client.end().catch(() => {});
    }
  };

  return {
    beside: (database) => postgresDatabase({ ...server, database }, options),
    listDump: (dump, signal) =>
      runTool({ command: "pg_restore", arguments: ["--list"], environment, input: dump }, signal, text),
    check: async () => {
      await connected(AbortSignal.timeout(connectMs), (client) => client.query("SELECT 1"));
    },
    schemas: () => connected(AbortSignal.timeout(connectMs), schemasOf),
    dropSchemas: (names) =>
      connected(AbortSignal.timeout(dropMs), async (client) => {
        if (names.length > 0)
          await client.query(
            `DROP SCHEMA ${names.map((name) => pg.escapeIdentifier(name)).join(", ")} CASCADE`,
          );
      }),
    otherSessions: () => connected(AbortSignal.timeout(connectMs), sessionsBeside),
    tables: (signal) =>
      connected(signal, async (client) => {
        await client.query("BEGIN READ ONLY");
        return rowsAndChecksums(client, signal);
      }),
    restore: (dump, signal) =>
      runTool(
        {
          command: "pg_restore",
          // What a restore that was broken off has left there goes first.
          arguments: ["--clean", "--if-exists", "--exit-on-error", "--no-owner", "--no-privileges", ...where],
          // Nothing of it counts before it is switched to, and that is flushed with all that came before it.
          environment: { ...environment, PGOPTIONS: "-c synchronous_commit=off" },
          input: dump,
        },
        signal,
        async (output) => void (await text(output)),
      ),
    dump: async (write, signal) => {
      const toolVersion = versionIn(await runTool(pgDump("--version"), signal, text));
      return connected(signal, async (client) => {
        const snapshot = await exportSnapshot(client);
        const databaseBytes = await sizeOf(client);
        const templateVersion = await templateVersionIn(client);
        const dump = pgDump(
          "--format=custom",
          // Its gzip is what a dump waits for; zstd, on the way to the disk, takes a tenth of that.
          "--compress=0",
          "--lock-wait-timeout=60s",
          `--snapshot=${snapshot.id}`,
          ...where,
        );
        const [digest, tables] = await allOrNone(
          signal,
          (either) => runTool(dump, either, write),
          (either) => rowsAndChecksums(client, either),
        );
        return {
          ...digest,
          database: server.database,
          databaseBytes,
          templateVersion,
          takenAt: snapshot.takenAt,
          serverVersion: snapshot.serverVersion,
          toolVersion: `pg_dump ${toolVersion}`,
          tables,
        };
      });
    },
  };
};

/** Opens a transaction and lends out its snapshot: sums and dump then see the very same rows. */
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

const schemasOf = async (client: pg.Client): Promise<readonly string[]> => {
  const { rows } = await client.query<{ name: string }>(
    `SELECT n.nspname AS name FROM pg_namespace n
     WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
       AND (n.nspname <> 'public' OR EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = n.oid)) ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
};

const sessionsBeside = async (client: pg.Client): Promise<readonly string[]> => {
  const { rows } = await client.query<{ name: string }>(
    `SELECT DISTINCT COALESCE(NULLIF(application_name, ''), 'somebody') AS name FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
};

const sizeOf = async (client: pg.Client): Promise<number> => {
  const { rows } = await client.query<{ bytes: string }>(
    "SELECT pg_database_size(current_database()) AS bytes",
  );
  return Number(rows[0]?.bytes);
};

/** The number of the newest migration of the tenants' template that was run; "" in a database that has none. */
const templateVersionIn = async (client: pg.Client): Promise<string> => {
  const { rowCount } = await client.query(
    "SELECT FROM pg_attribute WHERE attrelid = to_regclass('public.migrations') AND attname IN ('name', 'sha256') HAVING count(*) = 2",
  );
  if (rowCount === 0) return "";
  const { rows } = await client.query<{ name: string | null }>(
    "SELECT max(name) AS name FROM public.migrations",
  );
  return /^\d{4}/.exec(rows[0]?.name ?? "")?.[0] ?? "";
};
