import { type Queryable, sqlStateOf } from "@deeplens/postgres";
import type { AuditLine } from "../saga/audit-line.ts";
import type { Batch } from "../saga/batch.ts";
import type { AcceptResult, InboxResult } from "../saga/inbox.ts";
import { nextDueMs, type Reservation, type Saga, type Tenant } from "../saga/saga.ts";
import { type Epochs, ShardLost } from "./read-batch.ts";
import type { Position, Stream } from "./shard-rows.ts";

/** An encoded message on its way to the outbox. What heads every message of ours is added when it is sent. */
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
  /** Partitions whose position an operator gave up. */
  readonly accepted: readonly Accepted[];
  /** What operators did, in the transaction that did it. */
  readonly audits: readonly AuditLine[];
  /** Rows that the broker acknowledged. */
  readonly published: readonly number[];
}

/** From where a partition is read on. */
export interface Accepted {
  readonly shard: number;
  readonly stream: Stream;
  readonly next: number;
}

/** What was read is not what is there: read again and apply again. */
export class BatchConflict extends Error {
  constructor(what: string) {
    super(`${what} changed since it was read`);
    this.name = "BatchConflict";
  }
}

/**
 * Writes everything that follows from a batch by one statement, which is the whole transaction: it locks the shard rows,
 * sorted, sees that they still have these epochs, and writes, or ends without a trace.
 *
 * @returns the ids of the outbox rows, in the order of `outbox`
 * @throws ShardLost where a shard has another epoch by now
 * @throws BatchConflict where a saga has another version, or a request id came from another shard meanwhile
 */
export const writeBatch = async (
  db: Queryable,
  schema: string,
  epochs: Epochs,
  write: BatchWrite,
): Promise<number[]> => {
  const { batch } = write;
  const sagas = [...batch.changedSagas];
  try {
    const { rows } = await db.query<{ outbox: number[] | null }>({
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
          positionRows(write),
          outboxRows(write.outbox),
          write.audits,
        ].map(storableJson),
        write.inboxResults.map(({ id }) => id),
        [...epochs.keys()],
        [...epochs.values()],
        sagas.length,
        sagas.filter(({ version }) => version === 0).length,
        batch.newRequests.length,
        Buffer.concat(write.outbox.flatMap(({ key, value }) => [key ?? nothing, value ?? nothing])),
      ],
    });
    return rows[0]?.outbox ?? [];
  } catch (error) {
    throw refusalOf(error, epochs) ?? error;
  }
};

const refusalOf = (error: unknown, epochs: Epochs): Error | undefined => {
  switch (sqlStateOf(error)) {
    case "DL001":
      return new ShardLost([...epochs.keys()]);
    case "DL002":
      return new BatchConflict((error as Error).message);
    // A serialization failure, or a deadlock.
    case "40001":
    case "40P01":
      return new BatchConflict("what the batch writes");
    default:
      return undefined;
  }
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
  // Never changes: what is stored stays.
  request: saga.version === 0 ? saga.request : {},
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
  acts: tenant.acts,
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

const nothing = Buffer.alloc(0);

/** Keys and values travel as bytes, one after another, in a parameter of their own: a row says where its are, from 1 on. */
const outboxRows = (messages: readonly EncodedMessage[]): Record<string, unknown>[] => {
  let at = 1;
  const place = (bytes: Buffer | null): readonly [at: number | null, length: number] => {
    if (bytes === null) return [null, 0];
    const start = at;
    at += bytes.length;
    return [start, bytes.length];
  };
  return messages.map(({ shard, topic, key, value, headers }) => {
    const [k, kn] = place(key);
    const [v, vn] = place(value);
    return { shard, topic, k, kn, v, vn, headers };
  });
};

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

const positionRows = ({ positions, accepted }: BatchWrite): Record<string, unknown>[] => {
  const rows = new Map<number, Record<string, unknown>>();
  const rowOf = (shard: number): Record<string, unknown> => {
    const row = rows.get(shard) ?? { shard };
    rows.set(shard, row);
    return row;
  };
  for (const { shard, stream, position } of positions)
    Object.assign(rowOf(shard), { [`${stream}_next`]: position.next, [`${stream}_hash`]: position.hash });
  for (const { shard, stream, next } of accepted)
    Object.assign(rowOf(shard), { [`${stream}_next`]: next, [`${stream}_accepted`]: true });
  return [...rows.values()];
};

// One list of rows a parameter: each is parsed once, and what is JSON in a row goes in as the text that it is. Stored rows
// are found by `= ANY (ids)`, which goes by the index: a plan that joined them to a list was made when the table was
// empty, and may walk all of it.
const statementOf = (schema: string): string => `
WITH held AS MATERIALIZED (
  SELECT s.shard FROM ${schema}.shards s JOIN unnest($14::int[], $15::bigint[]) AS mine (shard, epoch)
      ON s.shard = mine.shard AND s.epoch = mine.epoch
   WHERE s.shard = ANY ($14) ORDER BY s.shard FOR UPDATE OF s),
input AS MATERIALIZED (
  SELECT $1::timestamptz AS now WHERE (SELECT count(*) FROM held) = cardinality($14::int[])
      OR ${schema}.refuse('DL001', 'a shard has another owner by now')),
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
  WHERE stored.version = excluded.version - 1 RETURNING (xmax = 0) AS fresh),
written_tenants AS (
  INSERT INTO ${schema}.tenants (tenant_id, slug, shard, name, state, revision, tier, storage_type, resources, acts,
    source, request_id, created_at, updated_at)
  SELECT t.tenant_id, t.slug, t.shard, t.name, t.state, t.revision, t.tier, t.storage_type, t.resources, t.acts, t.source,
    t.request_id, t.created_at, input.now
  FROM input, json_to_recordset($5::json) AS t (tenant_id uuid, slug text, shard int, name text, state text,
    revision bigint, tier text, storage_type text, resources jsonb, acts jsonb, source text, request_id text, created_at timestamptz)
  ON CONFLICT (tenant_id) DO UPDATE SET state = excluded.state, revision = excluded.revision, tier = excluded.tier,
    resources = excluded.resources, acts = excluded.acts, updated_at = excluded.updated_at),
written_reservations AS (
  INSERT INTO ${schema}.reservations (slug, tenant_id, saga_id, fence, released)
  SELECT slug, tenant_id, saga_id, fence, released
  FROM input, json_to_recordset($6::json) AS r (slug text, tenant_id uuid, saga_id uuid, fence bigint, released boolean)
  ON CONFLICT (slug) DO UPDATE SET tenant_id = excluded.tenant_id, saga_id = excluded.saga_id, fence = excluded.fence,
    released = excluded.released),
written_history AS (
  INSERT INTO ${schema}.history (saga_id, at, event, step, fence, body)
  SELECT saga_id, at, event, step, fence, body
  FROM input, json_to_recordset($7::json) AS h (saga_id uuid, at timestamptz, event text, step text, fence bigint, body json)),
forwarded AS (
  INSERT INTO ${schema}.inbox (shard, body)
  SELECT shard, body FROM input, json_to_recordset($8::json) AS f (shard int, body jsonb)),
answered AS (
  UPDATE ${schema}.inbox i SET done_at = input.now, result = a.result
  FROM input, json_to_recordset($9::json) AS a (id bigint, result jsonb)
  WHERE i.id = a.id AND i.id = ANY ($13)),
moved AS (
  UPDATE ${schema}.shards s SET
    requests_next = coalesce(p.requests_next, s.requests_next),
    requests_hash = CASE WHEN p.requests_accepted THEN NULL ELSE coalesce(decode(p.requests_hash, 'hex'), s.requests_hash) END,
    requests_stopped = CASE WHEN p.requests_accepted THEN NULL ELSE s.requests_stopped END,
    replies_next = coalesce(p.replies_next, s.replies_next),
    replies_hash = CASE WHEN p.replies_accepted THEN NULL ELSE coalesce(decode(p.replies_hash, 'hex'), s.replies_hash) END,
    replies_stopped = CASE WHEN p.replies_accepted THEN NULL ELSE s.replies_stopped END
  FROM input, json_to_recordset($10::json) AS p (shard int, requests_next bigint, requests_hash text, requests_accepted boolean,
    replies_next bigint, replies_hash text, replies_accepted boolean) WHERE s.shard = p.shard),
audited AS (
  INSERT INTO ${schema}.audit (at, actor, action, subject, reason, origin, outcome)
  SELECT input.now, actor, action, subject, reason, origin, outcome
  FROM input, json_to_recordset($12::json)
    AS a (actor text, action text, subject text, reason text, origin text, outcome text)),
published AS (DELETE FROM ${schema}.outbox WHERE id = ANY ($2) AND EXISTS (SELECT 1 FROM input)),
sent AS (
  INSERT INTO ${schema}.outbox (shard, topic, key, value, headers)
  SELECT shard, topic, substring($19::bytea FROM k FOR kn), substring($19 FROM v FOR vn), headers
  FROM input, ROWS FROM (json_to_recordset($11::json) AS (shard int, topic text, k int, kn int, v int, vn int, headers text))
    WITH ORDINALITY AS m (shard, topic, k, kn, v, vn, headers, place)
  ORDER BY place RETURNING id)
SELECT (SELECT array_agg(id::float8 ORDER BY id) FROM sent) AS outbox FROM input
 WHERE ((SELECT count(*) = $16 AND count(*) FILTER (WHERE fresh) = $17 FROM written_sagas)
        OR ${schema}.refuse('DL002', 'a saga'))
   AND ((SELECT count(*) = $18 FROM written_requests) OR ${schema}.refuse('DL002', 'a request id'))`;
