import type { Db } from "./tables.ts";

export interface PartitionView {
  /** The next offset to be applied; null where none ever was. */
  readonly next: number | null;
  /** Why its owner reads it no more; null while it does. */
  readonly stopped: string | null;
}

export interface ShardView {
  readonly shard: number;
  readonly requests: PartitionView;
  readonly replies: PartitionView;
}

/** All shards, as their owners wrote them last. */
export const readShardViews = async ({ pool, tables }: Db): Promise<ShardView[]> => {
  const { rows } = await pool.query<{
    shard: number;
    requestsNext: number | null;
    requestsStopped: string | null;
    repliesNext: number | null;
    repliesStopped: string | null;
  }>(
    `SELECT shard, requests_next AS "requestsNext", requests_stopped AS "requestsStopped",
       replies_next AS "repliesNext", replies_stopped AS "repliesStopped" FROM ${tables.shards} ORDER BY shard`,
  );
  return rows.map((row) => ({
    shard: row.shard,
    requests: { next: row.requestsNext, stopped: row.requestsStopped },
    replies: { next: row.repliesNext, stopped: row.repliesStopped },
  }));
};
