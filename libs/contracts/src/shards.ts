import { createHash } from "node:crypto";

/** How many shards an installation has unless configured; fixed for its life. */
export const defaultShards = 6;

/**
 * The shard of a slug, which is also its partition in requests, commands and replies: the first four bytes of the
 * slug's SHA-256, modulo the number of shards.
 */
export const shardOf = (slug: string, shards: number): number =>
  createHash("sha256").update(slug).digest().readUInt32BE(0) % shards;
