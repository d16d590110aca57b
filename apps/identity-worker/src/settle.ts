import { setTimeout as delay } from "node:timers/promises";
import type { LedgerEntry, StepContext, Tenant } from "@deeplens/worker";
import type { IdentityApi, IdentityTenant } from "./identity-api.ts";

/** The Identity API, and how long one of its requests may take at most, in ms. */
export interface Identity {
  readonly api: IdentityApi;
  readonly longestRequestMs: number;
}

const lookMs = 10_000;
// Between looks: a twentieth of the wait, and no more than a second.
const pauseMs = (longestRequestMs: number): number => Math.min(1_000, longestRequestMs / 20);

/** Asks the API for the tenant of that slug, once. */
export const look = (
  { api }: Identity,
  context: StepContext,
  slug: string,
): Promise<IdentityTenant | undefined> =>
  context.call("look for identity-tenant", (signal) => api.find(slug, signal), { timeoutMs: lookMs });

/** The fact of an intent that names the record of an earlier, removed tenant, which its request replaces. */
export const replacesFact = "replaces";

/**
 * The API without the record that a removed tenant left: it may be replaced, so to whoever makes the next tenant of that
 * slug it is not there. Any other record is. A replacement bears an id of its own.
 */
export const without = (identity: Identity, leftId: string | undefined): Identity => {
  if (leftId === undefined) return identity;
  const find: IdentityApi["find"] = async (slug, signal) => {
    const found = await identity.api.find(slug, signal);
    return found?.id === leftId ? undefined : found;
  };
  return { ...identity, api: { ...identity.api, find } };
};

/** The fact of an intent that says under which slug the API made the tenant, once that is known. */
export const slugFact = "slug";

/**
 * Looks until the tenant is seen, or until its last request, whose outcome is not known, can't take effect any more:
 * only then is it not there.
 *
 * @param intent what stands in the ledger, read just now: how old it is counts from here
 */
export const settle = async (
  identity: Identity,
  context: StepContext,
  tenant: Tenant,
  intent: LedgerEntry | undefined,
): Promise<IdentityTenant | undefined> => {
  const slug = intent?.facts[slugFact] ?? tenant.slug;
  const left = intent === undefined ? 0 : identity.longestRequestMs - intent.intendedMsAgo;
  const until = performance.now() + left;
  for (;;) {
    const began = performance.now();
    const found = await look(identity, context, slug);
    // The look itself must have begun after the last moment at which the request could land.
    if (found !== undefined || began >= until) return found;
    context.progress(
      `waiting for the outcome of an earlier request to the Identity API, ${Math.ceil((until - began) / 1_000)} s more`,
    );
    await delay(Math.min(pauseMs(identity.longestRequestMs), until - began), undefined, {
      signal: context.signal,
    });
  }
};
