import { applyInputs, keysOf } from "../engine/apply.ts";
import type { Input } from "../engine/inputs.ts";
import { type Batch, newBatch, requestKey, type SagaKind } from "../saga/batch.ts";
import type { InboxResult } from "../saga/inbox.ts";
import {
  isFinal,
  nextDueMs,
  type RememberedRequest,
  type Reservation,
  type Saga,
  type Tenant,
} from "../saga/saga.ts";
import type { SagaSettings } from "../saga/settings.ts";

interface Rows {
  readonly sagas: readonly Saga[];
  readonly tenants: readonly Tenant[];
  readonly reservations: readonly Reservation[];
  readonly requests: readonly RememberedRequest[];
}

/** All that is kept between two batches, as JSON text: what is not in it is forgotten, as after a crash. */
export type Stored = string;

export const emptyStore: Stored = JSON.stringify({ sagas: [], tenants: [], reservations: [], requests: [] });

export const rowsOf = (stored: Stored): Rows => JSON.parse(stored) as Rows;

export interface Options {
  readonly kind: SagaKind;
  readonly settings: SagaSettings;
  readonly now: Date;
  readonly shards?: number;
}

export interface AppliedBatch {
  readonly stored: Stored;
  readonly batch: Batch;
  readonly results: readonly InboxResult[];
}

/**
 * One batch as the engine runs it: reads what the inputs name and nothing else, applies them, and writes the rows that
 * were marked as changed and no others.
 *
 * @throws where the database would refuse the write: a silent wait, or a saga of another version
 */
export const applyBatch = (stored: Stored, inputs: readonly Input[], options: Options): AppliedBatch => {
  const { kind, settings, now, shards = 1 } = options;
  const batch = newBatch(
    { now, installation: "deeplens", shards, settings, kind },
    read(rowsOf(stored), inputs, kind.kind),
  );
  const { inboxResults } = applyInputs(batch, new Map(), inputs);
  return {
    stored: write(rowsOf(stored), batch),
    batch,
    results: inboxResults.map(({ result }) => result as InboxResult),
  };
};

const read = (rows: Rows, inputs: readonly Input[], kind: string) => {
  const keys = keysOf(inputs, kind);
  const sagas = rows.sagas.filter(({ sagaId }) => keys.sagaIds.includes(sagaId));
  const slugs: string[] = [...keys.slugs, ...sagas.map(({ slug }) => slug)];
  const reservations = rows.reservations.filter(({ slug }) => slugs.includes(slug));
  const wanted = new Set(keys.requests.map(({ source, requestId }) => requestKey(source, requestId)));
  const requests = rows.requests.filter((row) => wanted.has(requestKey(row.source, row.requestId)));
  const owners = [...sagas, ...reservations, ...requests].map(({ tenantId }) => tenantId);
  return {
    sagas: new Map(sagas.map((row) => [row.sagaId, row])),
    reservations: new Map(reservations.map((row) => [row.slug, row])),
    tenants: new Map(
      rows.tenants.filter(({ tenantId }) => owners.includes(tenantId)).map((row) => [row.tenantId, row]),
    ),
    requests: new Map(requests.map((row) => [requestKey(row.source, row.requestId), row])),
  };
};

const write = (rows: Rows, batch: Batch): Stored => {
  const known = new Map(rows.sagas.map(({ sagaId, version }) => [sagaId, version]));
  const sagas = [...batch.changedSagas].map((saga) => {
    if ((known.get(saga.sagaId) ?? 0) !== saga.version)
      throw new Error(`saga ${saga.sagaId} changed meanwhile`);
    if (waitsInSilence(saga)) throw new Error(`saga ${saga.sagaId} would wait in silence`);
    return { ...saga, version: saga.version + 1 };
  });
  const next: Rows = {
    sagas: merge(rows.sagas, sagas, ({ sagaId }) => sagaId),
    tenants: merge(rows.tenants, [...batch.changedTenants], ({ tenantId }) => tenantId),
    reservations: merge(rows.reservations, [...batch.changedReservations], ({ slug }) => slug),
    requests: [...rows.requests, ...batch.newRequests],
  };
  return JSON.stringify(next);
};

/** The database's constraint `no_silent_wait`, in words: not final, no timer, and not stuck for a reason. */
export const waitsInSilence = (saga: Saga): boolean =>
  !isFinal(saga.status) && nextDueMs(saga) === null && !(saga.status === "stuck" && saga.error !== undefined);

const merge = <T>(old: readonly T[], changed: readonly T[], keyOf: (row: T) => string): T[] => [
  ...new Map([...old, ...changed].map((row) => [keyOf(row), row])).values(),
];
