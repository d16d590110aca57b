import { moveTenant, publishHealth } from "./announce.ts";
import type { Batch } from "./batch.ts";
import type { InboxBody, InboxResult } from "./inbox.ts";
import type { IllParts, TenantActs } from "./saga.ts";

/**
 * What was seen of a tenant's parts. It changes no saga and no state: a tenant that is ready stays ready, and is degraded
 * or not beside that. The same again changes nothing; an event goes out when the set of what is ill changes.
 */
export const applyHealth = (
  batch: Batch,
  { slug, tenantId, ill }: Extract<InboxBody, { kind: "health" }>,
): InboxResult => {
  const reservation = batch.reservations.get(slug);
  const tenant = reservation === undefined ? undefined : batch.tenants.get(reservation.tenantId);
  if (reservation === undefined || tenant === undefined || tenant.tenantId !== tenantId)
    return { ok: false, code: "tenant-unknown", message: `${slug} is not tenant ${tenantId} any more` };
  const { degraded: before, ...acts } = tenant.acts;
  const answer = { sagaId: reservation.sagaId, tenantId, status: tenant.state };
  // What an act is in the middle of changing is not ill for that: the look after it tells. Between the beginning of a
  // rotation and its end nothing changes.
  if (tenant.acts.running !== undefined && tenant.acts.rotation === undefined)
    return { ok: true, repeated: true, ...answer };
  // Only what is ready is looked at: of one that was suspended since, nothing is known.
  const now: IllParts = tenant.state === "ready" ? ill : {};
  if (sameCodes(before?.parts ?? {}, now)) return { ok: true, repeated: true, ...answer };
  tenant.acts = { ...acts, ...degradedOf(batch, before, now) };
  moveTenant(batch, tenant, tenant.state);
  if (tenant.state === "ready") publishHealth(batch, tenant, before);
  return { ok: true, repeated: false, ...answer };
};

const degradedOf = (
  batch: Batch,
  before: TenantActs["degraded"],
  parts: IllParts,
): Pick<TenantActs, "degraded"> =>
  Object.keys(parts).length === 0
    ? {}
    : { degraded: { since: before?.since ?? batch.now.toISOString(), parts } };

/** Whether the same parts are ill for the same codes: texts may differ from look to look. */
export const sameCodes = (one: IllParts, other: IllParts): boolean => codesOf(one) === codesOf(other);

const codesOf = (ill: IllParts): string =>
  Object.entries(ill)
    .map(([part, { code }]) => `${part} ${code}`)
    .sort()
    .join("\n");
