import { hash } from "node:crypto";
import {
  shardOf,
  slugOf,
  specOf,
  type TenantId,
  type TenantProvisioningRequested,
  type TenantRemovalRequested,
  type TenantSpec,
  tenantIdOf,
} from "@deeplens/contracts";
import { v5 } from "uuid";
import type { Facts } from "../machine/events.ts";
import { startSaga } from "./advance.ts";
import { publishFailed, publishProvisioned, publishRolledBack, publishState } from "./announce.ts";
import { type Batch, requestKey, reserve } from "./batch.ts";
import { after } from "./hybrid-clock.ts";
import type { InboxResult } from "./inbox.ts";
import type { RememberedRequest, Saga, StepError, StepRecord, Tenant } from "./saga.ts";

/** The shard of a request: its slug's, or its raw name's where the name gives none. */
export const shardOfRequest = (request: { name: string }, shards: number): number => {
  const slug = slugOf(request.name);
  return shardOf(slug.ok ? slug.slug : request.name, shards);
};

/**
 * What a request asks for, without the moment it was sent: the same request sent again may bear another. Nor with the
 * fields that came later and that it leaves out: it hashes as it did before there were any.
 */
export const payloadHashOf = (request: AnyRequest): string => {
  const { requestedAt: _requestedAt, ...payload } = request;
  return hash(
    "sha256",
    JSON.stringify(
      "storage" in payload ? { ...payload, storage: toldOf(payload.storage) } : payload,
      sortedKeys,
    ),
  );
};

/** What upstream services ask for. */
export type AnyRequest = TenantProvisioningRequested | TenantRemovalRequested;

const toldOf = ({
  type,
  provider,
  credentialRef,
  ...later
}: TenantProvisioningRequested["storage"]): Record<string, unknown> => ({
  ...{ type, provider, credentialRef },
  ...Object.fromEntries(Object.entries(later).filter(([, value]) => value !== null)),
});

const sortedKeys = (_key: string, value: unknown): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
    : value;

/** The code of a refusal that no event tells: it would be an event of another request. */
export const reusedId = "request-id-reused";

/** Why a request is refused whose id was used before with other content; undefined where it was not. */
export const refusalOfReusedId = (
  batch: Batch,
  source: string,
  request: AnyRequest,
): Extract<InboxResult, { ok: false }> | undefined => {
  const { requestId } = request;
  const known = batch.requests.get(requestKey(source, requestId));
  if (known === undefined || known.payloadHash === payloadHashOf(request)) return undefined;
  return {
    ok: false,
    code: reusedId,
    message: `requestId: ${JSON.stringify(requestId)} of ${source} was used before with other content; send this request with an id of its own`,
    tenantId: known.tenantId,
  };
};

/**
 * Answers a request for a tenant: begins its saga, refuses it, or repeats the answer that it got before (PROTOCOL.md
 * 9). The same for what comes from Kafka, the API and the command line.
 */
export const acceptRequest = (
  batch: Batch,
  source: string,
  request: TenantProvisioningRequested,
): InboxResult => {
  const reused = refusalOfReusedId(batch, source, request);
  if (reused !== undefined) return reused;
  const known = batch.requests.get(requestKey(source, request.requestId));
  if (known !== undefined) return repeatAnswer(batch, known, request);
  const payloadHash = payloadHashOf(request);
  const tenantId = tenantIdOf(source, request.requestId);
  const checked = specOf(request);
  const rejection = checked.ok ? slugTaken(batch, checked.spec.slug, tenantId) : checked.rejection;
  const remembered = {
    source,
    requestId: request.requestId,
    payloadHash,
    tenantId,
    sagaId: rejection === undefined ? sagaIdOf(tenantId, batch.kind.kind) : null,
    rejection: rejection ?? null,
  };
  batch.requests.set(requestKey(source, request.requestId), remembered);
  batch.newRequests.push(remembered);
  if (!checked.ok || rejection !== undefined) {
    publishRejection(batch, remembered, request);
    return {
      ok: false,
      code: (rejection as StepError).code,
      message: (rejection as StepError).message,
      tenantId,
    };
  }
  const saga = beginSaga(batch, tenantId, source, request.requestId, checked.spec);
  return { ok: true, sagaId: saga.sagaId, tenantId, status: saga.status, repeated: false };
};

const namespace = "a2a7a9f2-7e0f-5b57-8b5c-2f5ad1b4b0f6";

/** The saga of that kind that a request of this tenant began; of acts there may be several. */
export const sagaIdOf = (tenantId: TenantId, kind: string, which = "1"): string =>
  v5(`${tenantId}/${kind}/${which}`, namespace);

const slugTaken = (batch: Batch, slug: string, tenantId: TenantId): StepError | undefined => {
  const held = batch.reservations.get(slug);
  if (held === undefined || held.released || held.tenantId === tenantId) return undefined;
  const holder = batch.tenants.get(held.tenantId);
  const why =
    holder?.state === "rolled-back"
      ? "is being released after a rollback; send a new request in a few minutes"
      : holder?.state === "removed"
        ? `is held until ${holder.acts.removal?.slugHeldUntil} because its last tenant was removed; choose another name, or have it released: tenantctl remove ${slug} --release`
        : "belongs to another tenant; choose another name";
  return { code: "slug-taken", message: `name: its slug ${JSON.stringify(slug)} ${why}` };
};

const beginSaga = (
  batch: Batch,
  tenantId: TenantId,
  source: string,
  requestId: string,
  spec: TenantSpec,
): Saga => {
  const createdAt = batch.now.toISOString();
  const shard = shardOf(spec.slug, batch.shards);
  const sagaId = sagaIdOf(tenantId, batch.kind.kind);
  const facts = factsOf(batch, spec);
  const leftInIdentity = leftByLast(batch, spec.slug);
  const saga: Saga = {
    sagaId,
    tenantId,
    slug: spec.slug,
    shard,
    kind: batch.kind.kind,
    status: "running",
    machineVersion: batch.kind.machineVersion,
    version: 0,
    state: {},
    facts,
    steps: Object.fromEntries(batch.kind.table.map(({ step }) => [step, newStep()])),
    timers: {},
    request: { source, requestId, spec, ...(leftInIdentity === undefined ? {} : { leftInIdentity }) },
    createdAt,
  };
  const tenant: Tenant = {
    tenantId,
    slug: spec.slug,
    shard,
    name: spec.name,
    state: "provisioning",
    revision: after(0, batch.now),
    tier: spec.tier,
    storageType: spec.storage.type,
    resources: {},
    acts: leftInIdentity === undefined ? {} : { leftInIdentity },
    source,
    requestId,
    createdAt,
  };
  const reservation = {
    slug: spec.slug,
    tenantId,
    sagaId,
    fence: batch.reservations.get(spec.slug)?.fence ?? 0,
    released: false,
  };
  batch.sagas.set(sagaId, saga);
  batch.tenants.set(tenantId, tenant);
  reserve(batch, reservation);
  batch.changedTenants.add(tenant);
  publishState(batch, tenant);
  startSaga(batch, saga, { event: "requested", step: null, fence: null, body: { source, requestId, spec } });
  return saga;
};

/** What the removal of the name's last tenant has left in Identity, which has no delete (PROTOCOL.md 19). */
const leftByLast = (batch: Batch, slug: string): string | undefined => {
  const last = batch.reservations.get(slug)?.tenantId;
  return last === undefined ? undefined : batch.tenants.get(last)?.acts.leftInIdentity;
};

const factsOf = (batch: Batch, spec: TenantSpec): Facts => ({
  leftOut: batch.kind.table
    .filter(({ when }) => when !== undefined && !when({ storageType: spec.storage.type }))
    .map(({ step }) => step),
});

export const newStep = (): StepRecord => ({ fence: 0, attempts: { do: 0, undo: 0, look: 0 } });

const repeatAnswer = (
  batch: Batch,
  known: RememberedRequest,
  request: TenantProvisioningRequested,
): InboxResult => {
  const { tenantId, rejection } = known;
  if (rejection !== null) {
    publishRejection(batch, known, request);
    return { ok: false, ...rejection, tenantId };
  }
  const tenant = batch.tenants.get(tenantId);
  if (tenant === undefined || known.sagaId === null)
    throw new Error(`request ${known.requestId} of ${known.source} was read without its tenant`);
  // A saga that ended long ago is forgotten, its tenant is not.
  const saga = batch.sagas.get(known.sagaId);
  if (tenant.state === "ready") publishProvisioned(batch, tenant, known.sagaId);
  if (tenant.state === "rolled-back") publishRolledBack(batch, tenant, known.sagaId, saga?.error);
  return { ok: true, sagaId: known.sagaId, tenantId, status: saga?.status ?? tenant.state, repeated: true };
};

const publishRejection = (
  batch: Batch,
  remembered: RememberedRequest,
  request: TenantProvisioningRequested,
): void => {
  const slug = slugOf(request.name);
  const { code, message } = remembered.rejection ?? { code: "refused", message: "refused" };
  publishFailed(batch, {
    shard: shardOfRequest(request, batch.shards),
    tenantId: remembered.tenantId,
    slug: slug.ok ? slug.slug : "",
    name: request.name,
    revision: 1,
    sagaId: null,
    source: remembered.source,
    requestId: remembered.requestId,
    step: null,
    code,
    message,
  });
};
