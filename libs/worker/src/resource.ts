import type { ReceiptLine, TenantId } from "@deeplens/contracts";
import type { LedgerKey } from "./ledger.ts";
import { PermanentStepError, type StepContext } from "./step.ts";

/**
 * What a look at a thing found: nothing; a thing whose label names its owner; or a thing without a label, which is
 * ours only where the ledger says so.
 */
export type Sight = { found: "nothing" } | { found: "labelled"; owner: string } | { found: "unlabelled" };

export const nothing: Sight = { found: "nothing" };
export const unlabelled: Sight = { found: "unlabelled" };
export const labelled = (owner: string): Sight => ({ found: "labelled", owner });

export interface ResourcePort extends LedgerKey {
  look(signal: AbortSignal): Promise<Sight>;
}

/**
 * Makes a thing exactly once, ledger before effect (PROTOCOL.md 12): look; found nothing: commit an intent, create,
 * mark it made. Found one of ours: mark it made. A foreign label always wins over a row of ours.
 *
 * @returns "created" or "found"
 * @throws PermanentStepError `<kind>-owned-by-other` for a thing of somebody else's, which is left untouched
 */
export const ensureResource = async (
  context: StepContext,
  tenant: { tenantId: TenantId; slug: string },
  resource: ResourcePort & { create(signal: AbortSignal): Promise<void> },
): Promise<"created" | "found"> => {
  const key = { kind: resource.kind, name: resource.name };
  const sight = await context.call(`look for ${resource.kind}`, (signal) => resource.look(signal));
  if (sight.found === "nothing") {
    await context.ledger.intend(key);
    await context.call(`create ${resource.kind}`, (signal) => resource.create(signal));
    await context.ledger.made(key);
    return "created";
  }
  if (!(await isOurs(context, tenant.tenantId, key, sight))) throw ownedByOther(key, tenant.slug);
  await context.ledger.intend(key);
  await context.ledger.made(key);
  return "found";
};

/**
 * Removes a thing of ours and looks again. A missing thing succeeds; a thing of somebody else's is left untouched and
 * said so in the receipt.
 *
 * @param purge for a purge: the saga whose mark the thing has to bear (PROTOCOL.md 17)
 * @throws PermanentStepError `not-marked` for a thing of ours that does not bear it, which is left untouched; any other
 *   error when it is still there after its removal
 */
export const removeResource = async (
  context: StepContext,
  tenant: { tenantId: TenantId; slug: string },
  resource: ResourcePort & { remove(signal: AbortSignal): Promise<void> },
  purge?: { readonly sagaId: string },
): Promise<ReceiptLine> => {
  const key = { kind: resource.kind, name: resource.name };
  const look = (): Promise<Sight> =>
    context.call(`look for ${resource.kind}`, (signal) => resource.look(signal));
  const sight = await look();
  if (sight.found === "nothing") {
    await markGone(context, tenant.tenantId, key);
    return { ...key, outcome: "absent" };
  }
  if (!(await isOurs(context, tenant.tenantId, key, sight))) {
    // Whatever we intended never landed: the name is somebody else's, and nothing of ours is left to look for.
    await markGone(context, tenant.tenantId, key);
    return { ...key, outcome: "foreign" };
  }
  if (purge !== undefined)
    refuseUnmarked([(await context.ledger.find(key)) ?? key], tenant.slug, purge.sagaId);
  await context.call(`remove ${resource.kind}`, (signal) => resource.remove(signal));
  const after = await look();
  if (after.found !== "nothing" && (await isOurs(context, tenant.tenantId, key, after)))
    throw new Error(
      `${resource.kind} ${resource.name} of tenant ${tenant.slug} is still there after its removal`,
    );
  await markGone(context, tenant.tenantId, key);
  return { ...key, outcome: "removed" };
};

/**
 * Whether a thing of this tenant's is there, for what is done to it where it stands.
 *
 * @throws PermanentStepError `<kind>-owned-by-other` where its name is somebody else's
 */
export const ownResource = async (
  context: StepContext,
  tenant: { tenantId: TenantId; slug: string },
  resource: ResourcePort,
): Promise<"there" | "absent"> => {
  const key = { kind: resource.kind, name: resource.name };
  const sight = await context.call(`look for ${resource.kind}`, (signal) => resource.look(signal));
  if (sight.found === "nothing") return "absent";
  if (!(await isOurs(context, tenant.tenantId, key, sight))) throw ownedByOther(key, tenant.slug);
  return "there";
};

/** The error for a thing that is to be there, of a tenant that was made, and is not. */
export const missing = (key: LedgerKey, slug: string): PermanentStepError =>
  new PermanentStepError(
    `${key.kind}-missing`,
    `${key.kind} ${key.name} of tenant ${slug} is not there: somebody removed it. Restore it from a backup (tenantctl backups ${slug}), then retry`,
  );

/** The error for a thing that bears our name and is somebody else's. */
export const ownedByOther = (key: LedgerKey, slug: string): PermanentStepError =>
  new PermanentStepError(
    `${key.kind}-owned-by-other`,
    `${key.kind} ${key.name} exists and does not belong to tenant ${slug}; it was left untouched. Rename or remove it, or choose another tenant name, then replay`,
  );

/** @throws PermanentStepError `not-marked` where one of the things does not bear the saga's mark */
export const refuseUnmarked = (
  things: readonly (LedgerKey & { readonly mark?: string })[],
  slug: string,
  sagaId: string,
): void => {
  const foreign = things.filter(({ mark }) => mark !== sagaId);
  if (foreign.length === 0) return;
  throw new PermanentStepError(
    "not-marked",
    `${foreign.map(({ kind, name }) => `${kind} ${name}`).join(", ")} of tenant ${slug} does not bear the mark of the removal that asks (${sagaId}); nothing was destroyed. Another act has changed the tenant since: look at its sagas (tenantctl sagas ${slug})`,
  );
};

const isOurs = async (
  context: StepContext,
  tenantId: TenantId,
  key: LedgerKey,
  sight: Sight,
): Promise<boolean> => {
  if (sight.found === "labelled") return sight.owner === tenantId;
  const entry = await context.ledger.find(key);
  return entry !== undefined && entry.owner === tenantId && entry.state !== "gone";
};

const markGone = async (context: StepContext, tenantId: TenantId, key: LedgerKey): Promise<void> => {
  const entry = await context.ledger.find(key);
  if (entry?.owner === tenantId && entry.state !== "gone") await context.ledger.gone(key);
};
