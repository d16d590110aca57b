import type { Queryable } from "@deeplens/postgres";
import type { MachineState } from "../machine/advance.ts";
import type { Facts } from "../machine/events.ts";
import { type Batch, requestKey } from "../saga/batch.ts";
import type { RememberedRequest, Reservation, Saga, Tenant } from "../saga/saga.ts";
import { type ShardRow, type ShardRowJson, shardRowOf } from "./shard-rows.ts";

/** What a transaction must read before it can apply what came in. */
export interface BatchKeys {
  readonly requests: readonly { source: string; requestId: string }[];
  readonly sagaIds: readonly string[];
  readonly slugs: readonly string[];
}

export type BatchRead = Pick<Batch, "sagas" | "tenants" | "reservations" | "requests"> & {
  readonly shardRows: ReadonlyMap<number, ShardRow>;
};

/** The epoch of each shard that this process owns. */
export type Epochs = ReadonlyMap<number, number>;

/** Another process owns a shard by now: nothing of this transaction may be written. */
export class ShardLost extends Error {
  constructor(shards: readonly number[]) {
    super(`one of the shards ${shards.join(", ")} belongs to another orchestrator by now`);
    this.name = "ShardLost";
  }
}

/**
 * Reads what a batch needs. Nothing is locked: nobody but the shards' owner writes what is read here, and whether this
 * process still owned them is asked by the statement that writes.
 *
 * @throws ShardLost where a shard has another epoch already
 */
export const readBatch = async (
  db: Queryable,
  schema: string,
  epochs: Epochs,
  keys: BatchKeys,
): Promise<BatchRead> => {
  const shards = [...epochs.keys()];
  const { rows } = await db.query<{ batch: BatchJson | null }>({
    name: "read-batch",
    text: `SELECT ${schema}.read_batch($1, $2, $3, $4, $5, $6) AS batch`,
    values: [
      shards,
      [...epochs.values()],
      keys.requests.map(({ source }) => source),
      keys.requests.map(({ requestId }) => requestId),
      keys.sagaIds,
      keys.slugs,
    ],
  });
  const batch = rows[0]?.batch;
  if (batch === null || batch === undefined) throw new ShardLost(shards);
  return {
    shardRows: new Map((batch.shards ?? []).map((row) => [row.shard, shardRowOf(row)])),
    requests: new Map((batch.requests ?? []).map((row) => [requestKey(row.source, row.requestId), row])),
    sagas: new Map((batch.sagas ?? []).map((row) => [row.sagaId, sagaOf(row)])),
    tenants: new Map(
      (batch.tenants ?? []).map((row) => [row.tenantId, { ...row, createdAt: isoOf(row.createdAt) }]),
    ),
    reservations: new Map((batch.reservations ?? []).map((row) => [row.slug, row])),
  };
};

/**
 * Locks the shards' rows, sorted, until the transaction ends.
 *
 * @throws ShardLost where a shard has another epoch
 */
export const lockShards = async (db: Queryable, schema: string, epochs: Epochs): Promise<void> => {
  const shards = [...epochs.keys()];
  const { rows } = await db.query<{ shard: number; epoch: number }>(
    `SELECT shard, epoch FROM ${schema}.shards WHERE shard = ANY ($1) ORDER BY shard FOR UPDATE`,
    [shards],
  );
  if (!rows.every(({ shard, epoch }) => epochs.get(shard) === epoch)) throw new ShardLost(shards);
};

interface BatchJson {
  shards: ShardRowJson[] | null;
  requests: RememberedRequest[] | null;
  sagas: SagaJson[] | null;
  tenants: Tenant[] | null;
  reservations: Reservation[] | null;
}

type SagaJson = Omit<Saga, "state" | "facts" | "error" | "finishedAt"> & {
  snapshot: { value: MachineState; facts: Facts };
  error: NonNullable<Saga["error"]> | null;
  finishedAt: string | null;
};

const sagaOf = ({ snapshot, error, finishedAt, createdAt, ...rest }: SagaJson): Saga => ({
  ...rest,
  createdAt: isoOf(createdAt),
  state: snapshot.value,
  facts: snapshot.facts,
  ...(error === null ? {} : { error }),
  ...(finishedAt === null ? {} : { finishedAt: isoOf(finishedAt) }),
});

const isoOf = (text: string): string => new Date(text).toISOString();
