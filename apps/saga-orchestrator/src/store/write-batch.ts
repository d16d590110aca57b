import type { Queryable } from "@deeplens/postgres";
import type { Batch } from "../saga/batch.ts";
import type { AcceptResult, InboxResult } from "../saga/inbox.ts";
import { nextDueMs, type Reservation, type Saga, type Tenant } from "../saga/saga.ts";
import type { Position, Stream } from "./shard-rows.ts";

/** An encoded message on its way to the outbox. */
export interface EncodedMessage {
  readonly shard: number;
  readonly topic: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: StoredHeaders;
}

/** Headers as JSON: text as it is, other bytes as base64, several of one name as a list. */
export type StoredHeaders = Readonly<Record<string, StoredHeader | readonly StoredHeader[]>>;
export type StoredHeader = string | { readonly base64: string };

export interface BatchWrite {
  readonly batch: Batch;
  readonly outbox: readonly EncodedMessage[];
  readonly positions: readonly { shard: number; stream: Stream; position: Position }[];
  readonly inboxResults: readonly { id: number; result: InboxResult | AcceptResult }[];
  /** Rows that the broker acknowledged. */
  readonly published: readonly number[];
}

/** What was read is not what is there: read again and apply again. */
export class BatchConflict extends Error {
  constructor(what: string) {
    super(`${what} changed since it was read`);
    this.name = "BatchConflict";
  }
}

/**
 * Writes everything that follows from a batch, by one statement.
 *
 * @returns the ids of the outbox rows, in the order of `outbox`
 * @throws BatchConflict where a saga has another version, or a request id came from another shard meanwhile
 */
export const writeBatch = async (db: Queryable, schema: string, write: BatchWrite): Promise<number[]> => {
  const { batch } = write;
  const sagas = [...batch.changedSagas];
  const { rows } = await db.query<WriteCounts>({
    name: "write-batch",
    text: statementOf(schema),
    values: [
      batch.now,
      write.published,
      ...[
        requestRows(batch),
        sagas.map(sagaRow),
        [...batch.changedTenants].map(tenantRow),
        [...batch.changedReservations].map(reservationRow),
        batch.history.map(({ sagaId, ...entry }) => ({ saga_id: sagaId, ...entry })),
        batch.forwarded,
        write.inboxResults,
        positionRows(write.positions),
        write.outbox.map(outboxRow),
      ].map(storableJson),
      write.inboxResults.map(({ id }) => id),
    ],
  });
  const [counts] = rows;
  if (counts?.sagas !== sagas.length) throw new BatchConflict("a saga");
  if (counts.requests !== batch.newRequests.length) throw new BatchConflict("a request id");
  return counts.outbox ?? [];
};

// Sorted: request ids may cross shards, and two transactions must take them in one order.
const requestRows = ({ newRequests }: Batch) =>
  [...newRequests]
    .sort((a, b) => (`${a.source} ${a.requestId}` < `${b.source} ${b.requestId}` ? -1 : 1))
    .map((one) => ({
      source: one.source,
      request_id: one.requestId,
      payload_hash: one.payloadHash,
      tenant_id: one.tenantId,
      saga_id: one.sagaId,
      rejection: one.rejection,
    }));

const sagaRow = (saga: Saga) => ({
  saga_id: saga.sagaId,
  tenant_id: saga.tenantId,
  slug: saga.slug,
  shard: saga.shard,
  kind: saga.kind,
  status: saga.status,
  machine_version: saga.machineVersion,
  version: saga.version + 1,
  snapshot: { value: saga.state, facts: saga.facts },
  steps: saga.steps,
  timers: saga.timers,
  error: saga.error,
  request: saga.request,
  next_due: isoOrNull(nextDueMs(saga)),
  created_at: saga.createdAt,
  finished_at: saga.finishedAt,
});

const tenantRow = (tenant: Tenant) => ({
  tenant_id: tenant.tenantId,
  slug: tenant.slug,
  shard: tenant.shard,
  name: tenant.name,
  state: tenant.state,
  revision: tenant.revision,
  tier: tenant.tier,
  storage_type: tenant.storageType,
  resources: tenant.resources,
  source: tenant.source,
  request_id: tenant.requestId,
  created_at: tenant.createdAt,
});

const reservationRow = (one: Reservation) => ({
  slug: one.slug,
  tenant_id: one.tenantId,
  saga_id: one.sagaId,
  fence: one.fence,
  released: one.released,
});

const outboxRow = ({ shard, topic, key, value, headers }: EncodedMessage) => ({
  shard,
  topic,
  key: key?.toString("base64"),
  value: value?.toString("base64"),
  headers,
});

interface WriteCounts {
  readonly sagas: number;
  readonly requests: number;
  readonly outbox: number[] | null;
}

/** JSON that Postgres takes: its jsonb knows neither the zero character nor half a surrogate pair. */
const storableJson = (value: unknown): string => {
  const text = JSON.stringify(value);
  // Nearly every batch ends here.
  if (!text.includes("\\u") || !/\\u(0000|d[89a-f])/.test(text)) return text;
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === "string" ? part.toWellFormed().replaceAll("\0", "\uFFFD") : part,
  );
};

const isoOrNull = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

const positionRows = (positions: BatchWrite["positions"]): Record<string, unknown>[] => {
  const rows = new Map<number, Record<string, unknown>>();
  for (const { shard, stream, position } of positions) {
    const row = rows.get(shard) ?? { shard };
    row[`${stream}_next`] = position.next;
    row[`${stream}_hash`] = position.hash;
    rows.set(shard, row);
  }
  return [...rows.values()];
};

// One list of rows a parameter: each is parsed once, and what is JSON in a row goes in as the text that it is. Stored rows
// are found by `= ANY (ids)`, which goes by the index: a plan that joined them to a list was made when the table was
// empty, and may walk all of it.
const statementOf = (schema: string): string => `
WITH input AS (SELECT $1::timestamptz AS now),
written_requests AS (
  INSERT INTO ${schema}.requests (source, request_id, payload_hash, tenant_id, saga_id, rejection, received_at)
  SELECT r.source, r.request_id, decode(r.payload_hash, 'hex'), r.tenant_id, r.saga_id, r.rejection, input.now
  FROM input, json_to_recordset($3::json)
    AS r (source text, request_id text, payload_hash text, tenant_id uuid, saga_id uuid, rejection jsonb)
  ON CONFLICT DO NOTHING RETURNING 1),
written_sagas AS (
  INSERT INTO ${schema}.sagas AS stored (saga_id, tenant_id, slug, shard, kind, status, machine_version, version, snapshot,
    steps, timers, error, request, next_due, created_at, updated_at, finished_at)
  SELECT s.saga_id, s.tenant_id, s.slug, s.shard, s.kind, s.status, s.machine_version, s.version, s.snapshot,
    s.steps, s.timers, s.error, s.request, s.next_due, s.created_at, input.now, s.finished_at
  FROM input, json_to_recordset($4::json) AS s (saga_id uuid, tenant_id uuid, slug text, shard int, kind text,
    status text, machine_version int, version bigint, snapshot json, steps json, timers json, error json, request json,
    next_due timestamptz, created_at timestamptz, finished_at timestamptz)
  ON CONFLICT (saga_id) DO UPDATE SET status = excluded.status, machine_version = excluded.machine_version,
    version = excluded.version, snapshot = excluded.snapshot, steps = excluded.steps, timers = excluded.timers,
    error = excluded.error, next_due = excluded.next_due, updated_at = excluded.updated_at, finished_at = excluded.finished_at
  WHERE stored.version = excluded.version - 1 RETURNING 1),
written_tenants AS (
  INSERT INTO ${schema}.tenants (tenant_id, slug, shard, name, state, revision, tier, storage_type, resources, source,
    request_id, created_at, updated_at)
  SELECT t.tenant_id, t.slug, t.shard, t.name, t.state, t.revision, t.tier, t.storage_type, t.resources, t.source,
    t.request_id, t.created_at, input.now
  FROM input, json_to_recordset($5::json) AS t (tenant_id uuid, slug text, shard int, name text, state text,
    revision bigint, tier text, storage_type text, resources jsonb, source text, request_id text, created_at timestamptz)
  ON CONFLICT (tenant_id) DO UPDATE SET state = excluded.state, revision = excluded.revision, tier = excluded.tier,
    resources = excluded.resources, updated_at = excluded.updated_at),
written_reservations AS (
  INSERT INTO ${schema}.reservations (slug, tenant_id, saga_id, fence, released)
  SELECT slug, tenant_id, saga_id, fence, released
  FROM json_to_recordset($6::json) AS r (slug text, tenant_id uuid, saga_id uuid, fence bigint, released boolean)
  ON CONFLICT (slug) DO UPDATE SET tenant_id = excluded.tenant_id, saga_id = excluded.saga_id, fence = excluded.fence,
    released = excluded.released),
written_history AS (
  INSERT INTO ${schema}.history (saga_id, at, event, step, fence, body)
  SELECT saga_id, at, event, step, fence, body
  FROM json_to_recordset($7::json) AS h (saga_id uuid, at timestamptz, event text, step text, fence bigint, body json)),
forwarded AS (
  INSERT INTO ${schema}.inbox (shard, body)
  SELECT shard, body FROM json_to_recordset($8::json) AS f (shard int, body jsonb)),
answered AS (
  UPDATE ${schema}.inbox i SET done_at = input.now, result = a.result
  FROM input, json_to_recordset($9::json) AS a (id bigint, result jsonb)
  WHERE i.id = a.id AND i.id = ANY ($12)),
moved AS (
  UPDATE ${schema}.shards s SET
    requests_next = coalesce(p.requests_next, s.requests_next), requests_hash = coalesce(decode(p.requests_hash, 'hex'), s.requests_hash),
    replies_next = coalesce(p.replies_next, s.replies_next), replies_hash = coalesce(decode(p.replies_hash, 'hex'), s.replies_hash)
  FROM json_to_recordset($10::json) AS p (shard int, requests_next bigint, requests_hash text,
    replies_next bigint, replies_hash text) WHERE s.shard = p.shard),
published AS (DELETE FROM ${schema}.outbox WHERE id = ANY ($2)),
sent AS (
  INSERT INTO ${schema}.outbox (shard, topic, key, value, headers)
  SELECT shard, topic, decode(key, 'base64'), decode(value, 'base64'), headers
  FROM ROWS FROM (json_to_recordset($11::json) AS (shard int, topic text, key text, value text, headers json))
    WITH ORDINALITY AS m (shard, topic, key, value, headers, place)
  ORDER BY place RETURNING id)
SELECT (SELECT count(*)::int FROM written_sagas) AS sagas, (SELECT count(*)::int FROM written_requests) AS requests,
  (SELECT array_agg(id::float8 ORDER BY id) FROM sent) AS outbox`;
