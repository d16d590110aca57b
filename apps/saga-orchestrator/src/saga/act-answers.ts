import type { Happened } from "./advance.ts";
import type { InboxBody, InboxResult } from "./inbox.ts";
import type { ActTold, Reservation, Saga, Tenant } from "./saga.ts";

export type TenantAct = Extract<InboxBody, { kind: "tenant" }>;
export type Refusal = Extract<InboxResult, { ok: false }>;

/** Whom an act is about. */
export interface Parts {
  readonly tenant: Tenant;
  readonly reservation: Reservation;
}

/** Adds to what the saga was told. */
export const tell = (saga: Saga, changes: Partial<ActTold>): void => {
  if (saga.request.act !== undefined)
    saga.request = { ...saga.request, act: { ...saga.request.act, ...changes } };
};

/** The act, for the history. */
export const happenedOf = (act: TenantAct): Happened => ({
  event: `act: ${act.act}`,
  step: null,
  fence: null,
  body: { by: act.by, reason: act.reason },
});

export const accepted = (saga: Saga): InboxResult => ({
  ok: true,
  sagaId: saga.sagaId,
  tenantId: saga.tenantId,
  status: saga.status,
  repeated: false,
});

/** The tenant is so already, or becomes so: the same answer again. */
export const already = (tenant: Tenant, sagaId: string): InboxResult => ({
  ok: true,
  sagaId,
  tenantId: tenant.tenantId,
  status: tenant.state,
  repeated: true,
});

/** The saga that made the tenant what it is. */
export const lastSagaOf = ({ acts }: Tenant, reservation: Reservation): string =>
  acts.removal?.sagaId ?? acts.suspension?.sagaId ?? reservation.sagaId;

export const actRuns = (tenant: Tenant, { kind, sagaId }: { kind: string; sagaId: string }): Refusal => {
  const { slug, acts } = tenant;
  const until =
    acts.rotation === undefined
      ? `wait until it has ended: tenantctl watch ${sagaId}`
      : `its old credentials are good until ${acts.rotation.oldUntil}; end them now: tenantctl rotate ${slug} --end`;
  return refuse(tenant, "act-running", `${kind} of tenant ${slug} runs (saga ${sagaId}); ${until}`);
};

export const wrongState = (tenant: Tenant, act: string, { sagaId }: Reservation): Refusal =>
  tenant.state === "provisioning" || tenant.state === "compensating" || tenant.state === "stuck"
    ? actRuns(tenant, { kind: "provision", sagaId })
    : refuse(tenant, "wrong-state", `tenant ${tenant.slug} is ${tenant.state}: ${whyNot(tenant, act)}`);

const whyNot = ({ slug, state }: Tenant, act: string): string => {
  if (["purge", "grace", "release"].includes(act)) return "no removal of it runs";
  if (["end-rotation", "overlap"].includes(act)) return "no rotation of it runs";
  return act === "rotate" && state === "suspended"
    ? `its credentials are not rotated before it is resumed (tenantctl resume ${slug})`
    : `there is nothing to ${act}`;
};

export const refuse = (tenant: Tenant, code: string, message: string): Refusal => ({
  ok: false,
  code,
  message,
  tenantId: tenant.tenantId,
  state: tenant.state,
});
