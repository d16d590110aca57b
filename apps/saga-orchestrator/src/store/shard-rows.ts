import type { Pool, Queryable } from "@deeplens/postgres";

export const streams = ["requests", "replies"] as const;
/** The two topics that are applied into a shard. */
export type Stream = (typeof streams)[number];

/**
 * Up to where a partition was applied: the next offset, and the hash of the last applied record; null where none was
 * since reading began, or since an operator gave the former position up.
 */
export interface Position {
  readonly next: number;
  readonly hash: string | null;
}

export interface ShardRow {
  readonly shard: number;
  readonly positions: Readonly<Record<Stream, Position | undefined>>;
}

/** Makes the rows of an installation's shards; throws where it has another number of them. */
export const ensureShards = async (pool: Pool, schema: string, shards: number): Promise<void> => {
  await pool.query(
    `INSERT INTO ${schema}.shards (shard) SELECT generate_series(0, $1 - 1) ON CONFLICT DO NOTHING`,
    [shards],
  );
  const { rows } = await pool.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${schema}.shards`);
  if (rows[0]?.count !== shards)
    throw new Error(
      `the database has ${rows[0]?.count} shards and SHARDS says ${shards}; it is fixed for an installation's life`,
    );
};

/** Takes shards over: raises their epochs, so that whoever had them writes nothing more, and reads their positions. */
export const takeShards = async (
  db: Queryable,
  schema: string,
  shards: readonly number[],
): Promise<(ShardRow & { epoch: number })[]> => {
  const { rows } = await db.query(
    `WITH locked AS (SELECT shard FROM ${schema}.shards WHERE shard = ANY ($1) ORDER BY shard FOR UPDATE)
     UPDATE ${schema}.shards s SET epoch = epoch + 1, requests_stopped = NULL, replies_stopped = NULL FROM locked WHERE s.shard = locked.shard
     RETURNING s.shard, epoch, requests_next AS "requestsNext", encode(requests_hash, 'hex') AS "requestsHash",
       replies_next AS "repliesNext", encode(replies_hash, 'hex') AS "repliesHash"`,
    [shards],
  );
  return rows.map((row) => ({ ...shardRowOf(row), epoch: row.epoch }));
};

export interface ShardRowJson {
  shard: number;
  requestsNext: number | null;
  requestsHash: string | null;
  repliesNext: number | null;
  repliesHash: string | null;
}

export const shardRowOf = (row: ShardRowJson): ShardRow => ({
  shard: row.shard,
  positions: {
    requests: positionOf(row.requestsNext, row.requestsHash),
    replies: positionOf(row.repliesNext, row.repliesHash),
  },
});

const positionOf = (next: number | null, hash: string | null): Position | undefined =>
  next === null ? undefined : { next, hash };

/** The positions of shards, as they are now. */
export const readShards = async (
  db: Queryable,
  schema: string,
  shards: readonly number[],
): Promise<ShardRow[]> => {
  const { rows } = await db.query<ShardRowJson>(
    `SELECT shard, requests_next AS "requestsNext", encode(requests_hash, 'hex') AS "requestsHash",
       replies_next AS "repliesNext", encode(replies_hash, 'hex') AS "repliesHash"
       FROM ${schema}.shards WHERE shard = ANY ($1)`,
    [shards],
  );
  return rows.map(shardRowOf);
};

/** True while each of these shards has that epoch: nobody has taken it over since. */
export const areHeld = async (
  db: Queryable,
  schema: string,
  epochs: ReadonlyMap<number, number>,
): Promise<boolean> => {
  const { rows } = await db.query<{ held: number }>(
    `SELECT count(*)::int AS held FROM ${schema}.shards s
       JOIN unnest($1::int[], $2::bigint[]) AS mine (shard, epoch) ON s.shard = mine.shard AND s.epoch = mine.epoch`,
    [[...epochs.keys()], [...epochs.values()]],
  );
  return rows[0]?.held === epochs.size;
};

/** Where reading begins in partitions that this database has never read. Nothing is written for who lost the shard. */
export const beginShards = async (
  db: Queryable,
  schema: string,
  begun: readonly { shard: number; epoch: number; requests: number; replies: number }[],
): Promise<void> => {
  await db.query(
    `UPDATE ${schema}.shards s SET requests_next = coalesce(requests_next, b.requests),
       replies_next = coalesce(replies_next, b.replies)
       FROM jsonb_to_recordset($1::jsonb) AS b (shard int, epoch bigint, requests bigint, replies bigint)
      WHERE s.shard = b.shard AND s.epoch = b.epoch`,
    [JSON.stringify(begun)],
  );
};

/** Says why a partition stopped, for operators. Nothing is written for who lost the shard. */
export const noteStops = async (
  db: Queryable,
  schema: string,
  stops: readonly { shard: number; epoch: number; requests: string | null; replies: string | null }[],
): Promise<void> => {
  await db.query(
    `UPDATE ${schema}.shards s SET requests_stopped = n.requests, replies_stopped = n.replies
       FROM jsonb_to_recordset($1::jsonb) AS n (shard int, epoch bigint, requests text, replies text)
      WHERE s.shard = n.shard AND s.epoch = n.epoch`,
    [JSON.stringify(stops)],
  );
};
