import type { Message, TenantId, Topic } from "@deeplens/contracts";
import type { ActStep, ActTable } from "../machine/act-table.ts";
import type { Runner } from "../machine/advance.ts";
import type { SagaTable } from "../machine/table.ts";
import type { InboxBody } from "./inbox.ts";
import type { RememberedRequest, Reservation, Saga, Tenant } from "./saga.ts";
import type { SagaSettings } from "./settings.ts";

/** A kind of saga: the machine built from its table, and the version of that machine. */
interface Machine {
  readonly kind: string;
  readonly machineVersion: number;
  readonly runner: Runner;
}

/** The saga that makes a tenant, and the acts on what it made, by their kinds. */
export interface SagaKind extends Machine {
  readonly table: SagaTable;
  readonly acts: ReadonlyMap<string, ActKind>;
}

/** A saga that changes a tenant which was made. */
export interface ActKind extends Machine {
  readonly act: ActTable;
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

/** The machine that runs a saga: the provisioning's, or its act's. */
export const machineOf = (batch: Batch, saga: Saga): SagaKind | ActKind =>
  saga.kind === batch.kind.kind ? batch.kind : actKindOf(batch, saga.kind);

/** Throws for an act that this version does not know: a newer one wrote the saga. */
export const actKindOf = (batch: Pick<Batch, "kind">, kind: string): ActKind => {
  const found = batch.kind.acts.get(kind);
  if (found === undefined) throw new Error(`there is no kind of saga ${kind} in this version`);
  return found;
};

/** The step of an act as its table has it; undefined for a saga that makes a tenant, and for a step that is not there. */
export const actStepOf = (batch: Pick<Batch, "kind">, saga: Saga, step: string): ActStep | undefined =>
  batch.kind.acts.get(saga.kind)?.act.steps.find((one) => one.step === step);

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
