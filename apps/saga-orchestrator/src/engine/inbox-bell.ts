import type { Pool, PoolClient } from "@deeplens/postgres";
import { pause } from "@deeplens/service";
import type { Logger } from "@deeplens/telemetry";

// A trigger of the table notifies it (migrations/0001-sagas.sql).
const channel = "saga_inbox";
const retryMs = 1_000;

/**
 * Rings whenever rows came into the inbox, whoever put them there. It may miss some while its session is away, and rings
 * when it has one again; the inbox is read now and then without it.
 */
export const startInboxBell = (options: {
  readonly pool: Pool;
  readonly onRows: () => void;
  readonly log: Logger;
}): { stop(): Promise<void> } => {
  const { pool, onRows, log } = options;
  const ending = new AbortController();
  const listening = (async () => {
    while (!ending.signal.aborted)
      try {
        await listenOn(await pool.connect(), onRows, ending.signal);
      } catch (error) {
        log.warn({ reason: (error as Error).message }, "the inbox can't be listened to now");
        await pause(retryMs, ending.signal);
      }
  })();
  return {
    stop: () => {
      ending.abort();
      return listening;
    },
  };
};

/** Until the signal is aborted. @throws when the session breaks */
const listenOn = async (client: PoolClient, onRows: () => void, signal: AbortSignal): Promise<void> => {
  const { promise: over, resolve, reject } = Promise.withResolvers<void>();
  over.catch(() => undefined); // it may break before it is waited for
  client.on("error", reject).on("notification", onRows);
  signal.addEventListener("abort", () => resolve(), { once: true });
  try {
    await client.query(`LISTEN ${channel}`);
    onRows();
    if (!signal.aborted) await over;
  } finally {
    client.release(true);
  }
};
