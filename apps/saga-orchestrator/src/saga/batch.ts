import type { Message, TenantId, Topic } from "@deeplens/contracts";
import type { Runner } from "../machine/advance.ts";
import type { SagaTable } from "../machine/table.ts";
import type { InboxBody } from "./inbox.ts";
import type { RememberedRequest, Reservation, Saga, Tenant } from "./saga.ts";
import type { SagaSettings } from "./settings.ts";

/** A kind of saga: its table, the machine built from it, and the version of that machine. */
export interface SagaKind {
  readonly kind: string;
  readonly table: SagaTable;
  readonly machineVersion: number;
  readonly runner: Runner;
}

export interface OutboxMessage {
  readonly shard: number;
  readonly topic: Topic;
  readonly key: string;
  readonly message: Message;
  readonly sagaId?: string;
  readonly step?: string;
  readonly fence?: number;
  readonly tenantId: string;
}

export interface HistoryEntry {
  readonly sagaId: string;
  readonly at: string;
  readonly event: string;
  readonly step: string | null;
  readonly fence: number | null;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What was read under the shards' locks for one transaction, and what the transaction will write. */
export interface Batch {
  readonly now: Date;
  readonly installation: string;
  readonly shards: number;
  readonly settings: SagaSettings;
  readonly kind: SagaKind;
  readonly sagas: Map<string, Saga>;
  readonly tenants: Map<TenantId, Tenant>;
  readonly reservations: Map<string, Reservation>;
  readonly requests: Map<string, RememberedRequest>;
  readonly changedSagas: Set<Saga>;
  readonly changedTenants: Set<Tenant>;
  readonly changedReservations: Set<Reservation>;
  readonly newRequests: RememberedRequest[];
  readonly history: HistoryEntry[];
  readonly outbox: OutboxMessage[];
  /** For shards whose row this transaction does not hold: their owner applies it. */
  readonly forwarded: { shard: number; body: InboxBody }[];
}

export const newBatch = (
  fixed: Pick<Batch, "now" | "installation" | "shards" | "settings" | "kind">,
  read: Partial<Pick<Batch, "sagas" | "tenants" | "reservations" | "requests">> = {},
): Batch => ({
  ...fixed,
  sagas: read.sagas ?? new Map(),
  tenants: read.tenants ?? new Map(),
  reservations: read.reservations ?? new Map(),
  requests: read.requests ?? new Map(),
  changedSagas: new Set(),
  changedTenants: new Set(),
  changedReservations: new Set(),
  newRequests: [],
  history: [],
  outbox: [],
  forwarded: [],
});

/** The key under which a batch keeps a remembered request. */
export const requestKey = (source: string, requestId: string): string => JSON.stringify([source, requestId]);

/** The saga's tenant and reservation; they were read with it. */
export const partsOf = (batch: Batch, saga: Saga): { tenant: Tenant; reservation: Reservation } => {
  const tenant = batch.tenants.get(saga.tenantId);
  const reservation = batch.reservations.get(saga.slug);
  if (tenant === undefined || reservation === undefined)
    throw new Error(`saga ${saga.sagaId} was read without its tenant or its slug's reservation`);
  return { tenant, reservation };
};

/** Gives a slug on. The row of whoever had it is written no more, also where this batch released it. */
export const reserve = (batch: Batch, reservation: Reservation): void => {
  const before = batch.reservations.get(reservation.slug);
  if (before !== undefined) batch.changedReservations.delete(before);
  batch.reservations.set(reservation.slug, reservation);
  batch.changedReservations.add(reservation);
};
