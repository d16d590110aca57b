import { migrate, type Pool } from "@deeplens/postgres";

/** Brings the schema `worker` of the control database up to date. */
export const migrateWorker = (pool: Pool): Promise<string[]> =>
  migrate(pool, "worker", new URL("../migrations/", import.meta.url));
