import { inTransaction, type Pool } from "@deeplens/postgres";
import type { Logger } from "@deeplens/telemetry";
import { lockShards } from "../store/read-batch.ts";
import type { Ownership } from "./ownership.ts";

const everyMs = 3_600_000;
const dayMs = 86_400_000;
const sagasAtOnce = 500;

/**
 * Forgets sagas that ended long ago, with their history, and inbox rows that were answered long ago. Request ids,
 * reservations, tenants, the audit and the ledger stay: the same request still gets the same answer.
 */
export const startPruning = (options: {
  readonly pool: Pool;
  readonly schema: string;
  readonly ownership: Pick<Ownership, "epochs">;
  readonly retentionDays: number;
  readonly now: () => Date;
  readonly log: Logger;
}): { stop(): void } => {
  const { pool, schema, ownership, retentionDays, now, log } = options;
  const prune = async (): Promise<void> => {
    const before = new Date(now().getTime() - retentionDays * dayMs);
    for (let count = sagasAtOnce; count === sagasAtOnce; ) {
      const epochs = ownership.epochs();
      if (epochs.size === 0) return;
      count = await pruneOnce(pool, schema, epochs, before);
      if (count > 0) log.info({ sagas: count, before }, "forgot sagas that ended long ago");
    }
  };
  const timer = setInterval(() => {
    prune().catch((error: Error) =>
      log.warn({ reason: error.message }, "old sagas could not be forgotten; trying again in an hour"),
    );
  }, everyMs);
  return { stop: () => clearInterval(timer) };
};

/**
 * One transaction of it, under the shards' locks like every other.
 *
 * @returns how many sagas were forgotten, 500 at most
 */
export const pruneOnce = (
  pool: Pool,
  schema: string,
  epochs: ReadonlyMap<number, number>,
  before: Date,
): Promise<number> =>
  inTransaction(pool, async (client) => {
    await lockShards(client, schema, epochs);
    const { rows } = await client.query<{ count: number }>(
      `WITH old AS (
         DELETE FROM ${schema}.sagas WHERE saga_id IN (
           SELECT saga_id FROM ${schema}.sagas
            WHERE shard = ANY ($1) AND status IN ('ready', 'done', 'undone', 'closed') AND finished_at < $2 LIMIT ${sagasAtOnce})
         RETURNING saga_id),
       histories AS (DELETE FROM ${schema}.history h USING old WHERE h.saga_id = old.saga_id),
       answered AS (DELETE FROM ${schema}.inbox WHERE shard = ANY ($1) AND done_at < $2)
       SELECT count(*)::int AS count FROM old`,
      [[...epochs.keys()], before],
    );
    return rows[0]?.count ?? 0;
  });
