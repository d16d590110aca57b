import { setTimeout as delay } from "node:timers/promises";
import { type Slug, sha256 } from "@deeplens/contracts";
import type { Pool, PoolClient } from "@deeplens/postgres";
import type { StepContext } from "@deeplens/worker";

// PROTOCOL.md 13: a session that runs DDL first takes a second key of the part, on the server where the DDL runs. The
// part's own lock lies on the control database, so a process that lost it there may still be inside a CREATE DATABASE
// here: whoever comes next has to see that end. Who holds the part's own lock is the part's one handler, so any other
// holder of the second key was deposed: undo lets a statement of its that still runs finish for 5 s, then ends its
// session, with which every DDL that it could still begin is refused.

const pollMs = 50;
const longestStatementMs = 25_000;
const graceMs = 5_000;

/** The second key of a part: a bigint for pg_advisory_lock, as text. */
export const ddlLockKey = (slug: Slug, step: string): string =>
  sha256("ddl", step, slug).readBigInt64BE().toString();

/**
 * Runs `work` with the one session on the tenant server's maintenance database that may run DDL for this tenant.
 *
 * @param deposed what to do with another session that holds the key: `wait` (a retry comes where it does not end) or
 *   `end` it (undo), 5 s later where its statement still runs
 */
export const withDdlSession = async <T>(
  context: StepContext,
  pool: Pool,
  slug: Slug,
  deposed: "wait" | "end",
  work: (session: PoolClient) => Promise<T>,
): Promise<T> => {
  const key = ddlLockKey(slug, context.step);
  const holder = sessionHolder(context);
  try {
    await context.call("open a Postgres session for DDL", async (signal) =>
      holder.take(await open(pool, key, slug, deposed, holder.onError, signal)),
    );
    const result = await work(holder.session());
    await holder.session().query("SELECT pg_advisory_unlock($1)", [key]);
    holder.release("clean");
    return result;
  } catch (error) {
    holder.release("unknown");
    throw error;
  }
};

// A call that was given up may still open its session: nobody would ever close it, and it would hold the key.
const sessionHolder = (context: StepContext) => {
  let held: PoolClient | undefined;
  let over = false;
  const onError = (error: Error): void =>
    context.log.warn({ reason: error.message }, "the DDL session ended");
  const close = (session: PoolClient, state: "clean" | "unknown"): void => {
    session.off("error", onError);
    // A session whose state is unknown is closed: that frees its key; its statement has a timeout of its own.
    session.release(state === "unknown");
  };
  return {
    onError,
    take: (session: PoolClient): void => {
      if (over) close(session, "unknown");
      else held = session;
    },
    session: (): PoolClient => {
      if (held === undefined) throw new Error("the DDL session was not opened");
      return held;
    },
    release: (state: "clean" | "unknown"): void => {
      over = true;
      if (held !== undefined) close(held, state);
      held = undefined;
    },
  };
};

const open = async (
  pool: Pool,
  key: string,
  slug: Slug,
  deposed: "wait" | "end",
  onError: (error: Error) => void,
  signal: AbortSignal,
): Promise<PoolClient> => {
  const session = await pool.connect();
  session.on("error", onError);
  try {
    const waitMs = deposed === "end" ? graceMs : longestStatementMs;
    for (const began = Date.now(); ; await delay(pollMs, undefined, { signal })) {
      signal.throwIfAborted();
      const { rows } = await session.query<{ got: boolean }>("SELECT pg_try_advisory_lock($1) AS got", [key]);
      if (rows[0]?.got === true) return session;
      const waited = Date.now() - began >= waitMs;
      if (deposed === "end") await session.query(endHolders, [key, waited]);
      else if (waited)
        throw new Error(`another session still changes the Postgres objects of tenant ${slug}`);
    }
  } catch (error) {
    session.release(true);
    throw error;
  }
};

// A bigint key stands in pg_locks as its two halves. $2: also a holder whose statement still runs.
const endHolders = `
  SELECT pg_terminate_backend(pid, 5000) FROM pg_locks JOIN pg_stat_activity USING (pid)
  WHERE ($2 OR state <> 'active') AND locktype = 'advisory' AND granted AND objsubid = 1 AND pid <> pg_backend_pid()
    AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (classid::bigint << 32) | objid::bigint = $1`;
