import type { Logger } from "@deeplens/telemetry";
import pg from "pg";

export type Pool = pg.Pool;
export type Client = pg.ClientBase;
export type PoolClient = pg.PoolClient;
/** What a query can be run on: a pool or one connection. */
export type Queryable = Pick<pg.ClientBase, "query">;

export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

export interface PoolOptions {
  /** Shown in pg_stat_activity. */
  readonly name: string;
  readonly log: Logger;
  /** Most connections at once; 10 unless told. */
  readonly size?: number;
  /** Longest time a statement may take, in ms; 30,000 unless told. */
  readonly statementMs?: number;
  /**
   * How long a transaction of a process that stands still may keep its locks, in ms; 30,000 unless told. The server ends
   * its session then.
   */
  readonly idleTransactionMs?: number;
  /** Settings of each session, by their names in Postgres. */
  readonly settings?: Readonly<Record<string, string>>;
}

// Whole numbers fit a double up to 2^53: fences, offsets and revisions come as numbers, not as text.
const int8 = 20;
const types = {
  getTypeParser: ((oid: number, format?: "text" | "binary") =>
    oid === int8 ? Number : pg.types.getTypeParser(oid, format as "text")) as typeof pg.types.getTypeParser,
};

/** A pool of connections. Broken idle connections are logged and replaced. End it with `pool.end()`. */
export const createPool = (address: DatabaseAddress, options: PoolOptions): Pool => {
  const pool = new pg.Pool({
    ...address,
    application_name: options.name,
    max: options.size ?? 10,
    connectionTimeoutMillis: 10_000,
    statement_timeout: options.statementMs ?? 30_000,
    idle_in_transaction_session_timeout: options.idleTransactionMs ?? 30_000,
    keepAlive: true,
    types,
    ...(options.settings === undefined ? {} : { options: optionsOf(options.settings) }),
  });
  pool.on("error", (error) =>
    options.log.warn({ reason: error.message }, "an idle database connection broke"),
  );
  return pool;
};

/**
 * Runs `work` on one connection of the pool. One that breaks while it is held is an error of `work`'s next query, not of
 * the process; it is closed then, as after any error of `work`: what state its session is in (locks, a transaction) is
 * not known.
 */
export const withConnection = async <T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> => {
  const client = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on("error", onError);
  try {
    return await work(client);
  } catch (error) {
    broken ??= error as Error;
    throw error;
  } finally {
    client.off("error", onError);
    client.release(broken);
  }
};

const optionsOf = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(" ");

/** One connection outside a pool: for session locks. The caller connects, ends and listens to `error`. */
export const createClient = (address: DatabaseAddress, name: string): pg.Client =>
  new pg.Client({
    ...address,
    application_name: name,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    types,
  });

/** SQLSTATE of an error from Postgres, or undefined for any other error. */
export const sqlStateOf = (error: unknown): string | undefined =>
  error instanceof pg.DatabaseError ? error.code : undefined;

/** An identifier, quoted. */
export const quoteIdentifier = (name: string): string => pg.escapeIdentifier(name);
/** A literal, quoted: only for statements that take no parameters (DDL). */
export const quoteLiteral = (text: string): string => pg.escapeLiteral(text);
