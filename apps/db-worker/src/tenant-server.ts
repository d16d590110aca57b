import { createClient, type DatabaseAddress, type Pool } from "@deeplens/postgres";
import type pg from "pg";

/** The Postgres server where tenants' databases live. */
export interface TenantServer {
  readonly host: string;
  readonly port: number;
  readonly adminUser: string;
  readonly adminPassword: string;
  /** Sessions on its maintenance database, as the administrator. */
  readonly pool: Pool;
}

/** Where the administrator's own sessions start. */
export const maintenanceDatabase = "postgres";

/** Statements end by themselves before the call that waits for them is given up (30 s). */
export const statementMs = 25_000;

/** The address of a database of the server, for the administrator. */
export const adminAddress = (server: TenantServer, database: string): DatabaseAddress => ({
  host: server.host,
  port: server.port,
  database,
  user: server.adminUser,
  password: server.adminPassword,
});

/** Runs `work` on a connection of its own, and closes it. Aborting the signal closes it at once. */
export const withClient = async <T>(
  address: DatabaseAddress,
  signal: AbortSignal,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> => {
  signal.throwIfAborted();
  const client = createClient(address, "deeplens-db-worker");
  client.on("error", () => undefined); // the query that was under way fails with it
  // Breaking the connection is what an abort is for; the query that was under way fails with it.
  const onAbort = (): void => void client.end().catch(() => undefined);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await client.connect();
    await client.query(`SET statement_timeout = ${statementMs}`);
    return await work(client);
  } finally {
    signal.removeEventListener("abort", onAbort);
    // The work has its result or its error by now; a farewell that fails changes neither.
    await client.end().catch(() => undefined);
  }
};
