import type { Queryable } from "@deeplens/postgres";
import type { Tenant } from "../saga/saga.ts";
import type { EncodedMessage } from "./write-batch.ts";

/** What waits to be published, in the order in which it was committed. */
export const readOutbox = async (
  db: Queryable,
  schema: string,
  shards: readonly number[],
): Promise<(EncodedMessage & { id: number })[]> => {
  const { rows } = await db.query<Omit<EncodedMessage, "headers"> & { id: number; headers: string }>(
    `SELECT id, shard, topic, key, value, headers FROM ${schema}.outbox WHERE shard = ANY ($1) ORDER BY id`,
    [shards],
  );
  return rows.map((row) => ({ ...row, headers: JSON.parse(row.headers) }));
};

const tenantsAtOnce = 10_000;

/**
 * The tenants of these shards that changed after that moment, the newest first. Of a slug that was given on only the
 * tenant that has it now: compaction keeps the last state of a slug, and an earlier tenant's must not be that.
 */
export const readTenantsChangedSince = async (
  db: Queryable,
  schema: string,
  shards: readonly number[],
  since: Date,
): Promise<Tenant[]> => {
  const { rows } = await db.query<Tenant>(
    `SELECT t.tenant_id AS "tenantId", t.slug, shard, name, state, revision, tier, storage_type AS "storageType", resources, acts,
       source, request_id AS "requestId", created_at AS "createdAt"
       FROM ${schema}.tenants t JOIN ${schema}.reservations r ON r.slug = t.slug AND r.tenant_id = t.tenant_id
      WHERE shard = ANY ($1) AND updated_at > $2 ORDER BY updated_at DESC LIMIT ${tenantsAtOnce}`,
    [shards, since],
  );
  return rows;
};
