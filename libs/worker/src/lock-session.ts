import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { createClient, type DatabaseAddress, type Queryable } from "@deeplens/postgres";
import { pause } from "@deeplens/service";
import type { Logger } from "@deeplens/telemetry";
import { aborted } from "./aborted.ts";

/** The sessions that say what this process holds, and that it lives. */
export interface LockSession {
  /** This process's own name, new at each start. */
  readonly processId: string;
  /** The one session that holds the locks of this process's parts; statements on it run one after another. */
  readonly query: Queryable["query"];
  /** Rejects when a session was lost: whoever waits for our locks may have them now, so the process must end. */
  readonly lost: Promise<never>;
  /**
   * Where `close` could not say that this process ended, for its own lock was lost: says that nothing more comes of it,
   * once its handlers have settled. Tries until the database takes it or the signal is aborted; never throws.
   */
  sayEnded(settled: Promise<unknown>, signal: AbortSignal): Promise<void>;
  /** Says that this process ended (it does so right after), and ends its sessions. */
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

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const statementMs = 30_000;
const retryMs = 500;

/**
 * Opens them: one session for the locks of parts, which an undo may end; and one which holds the process's own lock as
 * long as the process lives, which nobody ends.
 *
 * @param options `lostMs`: for how long this process counts as living where the database lost its sessions and it has
 *   not said that it ended
 */
export const openLockSession = async (
  address: DatabaseAddress,
  { name, lostMs, log }: { name: string; lostMs: number; log: Logger },
): Promise<LockSession> => {
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
  // Whoever has the session hears of it; it may be lost before anybody listens.
  lost.catch(() => undefined);
  let known = false; // the database knows of this process, and not of its end
  const say = async (client: Queryable): Promise<void> => {
    await client.query("DELETE FROM worker.processes WHERE process = $1", [processId]);
    known = false;
  };
  const sayEnded = async (settled: Promise<unknown>, signal: AbortSignal): Promise<void> => {
    if (known) await Promise.race([settled, aborted(signal)]);
    while (known && !signal.aborted) {
      const client = createClient(address, `${name} farewell`);
      client.on("error", () => undefined); // the statement that was under way fails with it
      try {
        await client.connect();
        await say(client);
      } catch (error) {
        log.warn({ reason: (error as Error).message }, "the end of this process can't be said yet");
        await pause(retryMs, signal);
      } finally {
        await client.end().catch(() => undefined); // it said what it had to, or could not
      }
    }
  };
  const close = async (): Promise<void> => {
    closing = true;
    // Where that fails the lock was lost, and sayEnded says it.
    if (known) await say(life).catch(() => undefined);
    await Promise.allSettled([parts.end(), life.end()]);
  };
  try {
    await life.connect();
    await life.query("SELECT pg_advisory_lock(worker.process_key($1))", [processId]);
    await life.query("SELECT worker.register($1, $2 * interval '1 ms', $3)", [
      processId,
      lostMs,
      containerOf(hostname(), process) ?? null,
    ]);
    known = true;
    await life.query("UPDATE worker.processes SET step = $2, version = $3 WHERE process = $1", [
      processId,
      name.replace(/-worker$/, ""),
      version,
    ]);
    await parts.connect();
    await parts.query(`SET statement_timeout = ${statementMs}`);
  } catch (error) {
    await close();
    throw error;
  }
  return { processId, lost, sayEnded, close, query: parts.query.bind(parts) };
};

/**
 * The container that this is the one process of, by the id that its host is named by unless told otherwise. Whoever was
 * that before has ended, or this one would not have been started.
 */
export const containerOf = (
  host: string,
  { pid, ppid }: { readonly pid: number; readonly ppid: number },
): string | undefined => (/^[0-9a-f]{12}$/.test(host) && (pid === 1 || ppid === 1) ? host : undefined);
