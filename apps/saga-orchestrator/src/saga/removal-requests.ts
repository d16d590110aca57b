import { parseSlug, type TenantId, type TenantRemovalRequested } from "@deeplens/contracts";
import { publishRemovalRefused } from "./announce.ts";
import { type Batch, requestKey } from "./batch.ts";
import { after } from "./hybrid-clock.ts";
import type { InboxResult } from "./inbox.ts";
import { payloadHashOf, refusalOfReusedId } from "./requests.ts";
import { applyTenantAct } from "./tenant-acts.ts";

/**
 * Answers an upstream service's request for a removal: begins it, or refuses it by an event, or repeats the answer that
 * the request got before (PROTOCOL.md 9). It names the tenant's id; where another has the slug by now nothing is touched
 * (PROTOCOL.md 22).
 */
export const acceptRemoval = (
  batch: Batch,
  source: string,
  request: TenantRemovalRequested,
  shard: number,
): InboxResult => {
  const reused = refusalOfReusedId(batch, source, request);
  if (reused !== undefined) return reused;
  const { requestId } = request;
  const tenantId = request.tenantId as TenantId;
  const known = batch.requests.get(requestKey(source, requestId));
  if (known !== undefined) {
    if (known.rejection === null)
      // Whoever asks again follows the events; they bear the request's id.
      return { ok: true, sagaId: known.sagaId ?? "", tenantId, status: "accepted", repeated: true };
    refuse(batch, source, request, shard, known.rejection);
    return { ok: false, ...known.rejection, tenantId };
  }
  const result = resultOf(batch, source, request);
  const remembered = {
    source,
    requestId,
    payloadHash: payloadHashOf(request),
    tenantId,
    sagaId: result.ok ? result.sagaId : null,
    rejection: result.ok ? null : { code: result.code, message: result.message },
  };
  batch.requests.set(requestKey(source, requestId), remembered);
  batch.newRequests.push(remembered);
  if (!result.ok) refuse(batch, source, request, shard, result);
  return result;
};

const resultOf = (batch: Batch, source: string, request: TenantRemovalRequested): InboxResult => {
  const { slug, tenantId, reason, graceMs, requestId } = request;
  const parsed = parseSlug(slug);
  if (!parsed.ok)
    return { ok: false, code: "slug-invalid", message: parsed.rejection.message.replace(/^name:/, "slug:") };
  if (reason.trim() === "")
    return { ok: false, code: "reason-missing", message: "reason: is empty; say why the tenant is to go" };
  if (graceMs !== null && !(graceMs >= 0 && graceMs <= longestGraceMs))
    return { ok: false, code: "grace-invalid", message: "graceMs: must be between 0 and a year" };
  return applyTenantAct(
    batch,
    {
      kind: "tenant",
      act: "remove",
      slug,
      tenantId,
      ...(graceMs === null ? {} : { graceMs }),
      by: source,
      reason,
    },
    { source, requestId },
  );
};

/** A removal that waits for longer is none. */
export const longestGraceMs = 366 * 86_400_000;

const refuse = (
  batch: Batch,
  source: string,
  { requestId, tenantId, slug }: TenantRemovalRequested,
  shard: number,
  { code, message }: { code: string; message: string },
): void =>
  publishRemovalRefused(batch, shard, {
    tenantId,
    slug,
    // Above all that was ever said of that tenant: readers drop what is not newer.
    revision: revisionFor(batch, tenantId),
    source,
    requestId,
    code,
    message,
  });

const revisionFor = (batch: Batch, tenantId: string): number => {
  const tenant = batch.tenants.get(tenantId as TenantId);
  const revision = after(tenant?.revision ?? 0, batch.now);
  if (tenant !== undefined) {
    tenant.revision = revision;
    batch.changedTenants.add(tenant);
  }
  return revision;
};
