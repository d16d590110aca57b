import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { createClient, type DatabaseAddress, type Queryable } from "@deeplens/postgres";

/** The sessions that say what this process holds, and that it lives. */
export interface LockSession {
  /** This process's own name, new at each start. */
  readonly processId: string;
  /** The one session that holds the locks of this process's parts; statements on it run one after another. */
  readonly query: Queryable["query"];
  /** Rejects when a session was lost: whoever waits for our locks may have them now, so the process must end. */
  readonly lost: Promise<never>;
  close(): Promise<void>;
}

export class LockSessionLost extends Error {
  constructor(cause: unknown) {
    super(
      `the session that holds this worker's locks was lost (${cause instanceof Error ? cause.message : cause}); another process may have its parts now`,
      { cause },
    );
    this.name = "LockSessionLost";
  }
}

const statementMs = 30_000;

/**
 * Opens them: one session for the locks of parts, which an undo may end; and one which holds the process's own lock as
 * long as the process lives, which nobody ends.
 */
export const openLockSession = async (address: DatabaseAddress, name: string): Promise<LockSession> => {
  const processId = `${hostname()}/${process.pid}/${randomUUID()}`;
  const parts = createClient(address, `${name} locks`);
  const life = createClient(address, `${name} life`);
  let closing = false;
  const lost = new Promise<never>((_, reject) => {
    for (const client of [parts, life]) {
      client.on("error", (error) => closing || reject(new LockSessionLost(error)));
      client.on("end", () => closing || reject(new LockSessionLost("the connection ended")));
    }
  });
  lost.catch(() => undefined);
  const close = async (): Promise<void> => {
    closing = true;
    await Promise.allSettled([parts.end(), life.end()]);
  };
  try {
    await life.connect();
    await life.query("SELECT pg_advisory_lock(worker.process_key($1))", [processId]);
    await parts.connect();
    await parts.query(`SET statement_timeout = ${statementMs}`);
  } catch (error) {
    await close();
    throw error;
  }
  return { processId, lost, close, query: parts.query.bind(parts) };
};
