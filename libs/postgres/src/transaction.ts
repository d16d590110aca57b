import { setTimeout as delay } from "node:timers/promises";
import { type Pool, type PoolClient, sqlStateOf } from "./pool.ts";

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
  const client = await pool.connect();
  let broken: Error | undefined;
  const onError = (error: Error): void => {
    broken = error;
  };
  client.on("error", onError);
  try {
    await client.query("BEGIN");
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    try {
      await client.query("ROLLBACK");
    } catch (rollbackError) {
      broken ??= rollbackError as Error;
    }
    throw error;
  } finally {
    client.off("error", onError);
    client.release(broken);
  }
};
