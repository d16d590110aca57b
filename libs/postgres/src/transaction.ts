import { setTimeout as delay } from "node:timers/promises";
import { type Pool, type PoolClient, sqlStateOf, withConnection } from "./pool.ts";

const serializationFailure = "40001";
const deadlockDetected = "40P01";
const tries = 10;

/**
 * Runs `work` in one transaction (read committed) and gives what it gives. A serialization failure or a deadlock is
 * tried again, ten times, from the start: `work` must be able to run again. A commit whose outcome is unknown (the
 * connection broke) is an error like any other: the caller looks at the database again.
 */
export const inTransaction = async <T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(pool, work);
    } catch (error) {
      const state = sqlStateOf(error);
      if ((state !== serializationFailure && state !== deadlockDetected) || attempt === tries) throw error;
      await delay(Math.random() * 10 * attempt);
    }
  }
};

const once = async <T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> => {
  const outcome = await withConnection(pool, async (client) => {
    await client.query("BEGIN");
    try {
      const result = await work(client);
      await client.query("COMMIT");
      return { done: true, result } as const;
    } catch (error) {
      try {
        await client.query("ROLLBACK");
      } catch {
        throw error; // the first error tells more than that its connection broke
      }
      return { done: false, error } as const;
    }
  });
  if (outcome.done) return outcome.result;
  throw outcome.error;
};
