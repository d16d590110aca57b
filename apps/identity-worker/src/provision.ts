import { randomBytes } from "node:crypto";
import {
  NotAskedYetError,
  PermanentStepError,
  type ProvisionCommand,
  type StepContext,
  type StepDone,
  type Tenant,
} from "@deeplens/worker";
import {
  type AskedFields,
  differencesOf,
  fieldsOf,
  identityKey,
  notAsked,
  openIntent,
  passwordPurpose,
  requestOf,
} from "./asked-tenant.ts";
import type { IdentityTenant, TenantAnswer } from "./identity-api.ts";
import { type Identity, look, replacesFact, settle, slugFact, without } from "./settle.ts";

// 192 random bits. The ending has a character of each kind, which rules for passwords ask for.
const makePassword = (): string => `${randomBytes(24).toString("base64url")}-aA1`;

/** The id of the record that a removed tenant of this slug left: its removal receipt names it. */
const leftInput = "removed.identityTenantId";

/**
 * Makes the tenant's record and its first administrator in the Identity API: the pivot (PROTOCOL.md 19, 20). That API
 * has no delete, and asking for a slug that it has replaces that tenant with its users. So it is asked only while it
 * answers that there is none; after an intent with all fields, and one password for all tries, are committed; and what
 * is there with our intent is adopted. The record of a removed tenant, which that API can't delete, counts as not there. Crashes, and answers that never came, end in one of these.
 *
 * @returns outputs `tenantId`, `slug`, `passwordRef`, and `adminUserId` where the API's answer to the request arrived
 * @throws PermanentStepError with pivot `not-asked` (somebody else's tenant is there) or `refused` (400, and none is
 *   there); NotAskedYetError where the API did not answer before anything was asked; any other error leaves the outcome
 *   open for the next try
 */
export const provision = async (
  api: Identity,
  command: ProvisionCommand,
  context: StepContext,
): Promise<StepDone> => {
  const { tenant } = command;
  const intent = await openIntent(context, tenant);
  const left = intent === undefined ? command.inputs[leftInput] : intent.facts[replacesFact];
  const identity = without(api, left);
  const found =
    intent === undefined
      ? await firstLook(identity, context, tenant)
      : await settle(identity, context, tenant, intent);
  if (found !== undefined) {
    if (intent === undefined) throw notAsked(tenant);
    return adopt(context, tenant, intent.facts, found);
  }
  const asked =
    intent === undefined
      ? { ...fieldsOf(command), ...(left === undefined ? {} : { [replacesFact]: left }) }
      : intent.facts;
  const password = await context.secrets.ensure(passwordPurpose, makePassword);
  await context.ledger.intend(identityKey(tenant), asked);
  const answer = await ask(identity, context, tenant, asked, password.value);
  switch (answer.outcome) {
    case "done":
      return finish(context, tenant, answer);
    case "found":
      return adopt(context, tenant, asked, answer.tenant);
    case "refused":
      return refuse(identity, context, tenant, asked, answer.message);
  }
};

// While there is no intent nothing was asked, and nothing can be any more: an older command's intent fails by its fence.
const firstLook = async (
  identity: Identity,
  context: StepContext,
  tenant: Tenant,
): Promise<IdentityTenant | undefined> => {
  try {
    return await look(identity, context, tenant.slug);
  } catch (error) {
    if (context.signal.aborted) throw error;
    throw new NotAskedYetError(`nothing was asked for tenant ${tenant.slug} yet: ${reasonOf(error)}`, {
      cause: error,
    });
  }
};

type Outcome = TenantAnswer | { readonly outcome: "found"; readonly tenant: IdentityTenant };

// An answer that did not arrive is settled by a look; where that finds nothing, the next try settles it.
const ask = async (
  identity: Identity,
  context: StepContext,
  tenant: Tenant,
  asked: AskedFields,
  password: string,
): Promise<Outcome> => {
  try {
    return await context.call(
      "create identity-tenant",
      (signal) => identity.api.provision(requestOf(asked, password), signal),
      { timeoutMs: identity.longestRequestMs },
    );
  } catch (error) {
    if (context.signal.aborted) throw error;
    const found = await look(identity, context, tenant.slug);
    if (found === undefined)
      throw new Error(
        `the Identity API's answer for tenant ${tenant.slug} is not known (${reasonOf(error)}), and the tenant is not there yet`,
        { cause: error },
      );
    return { outcome: "found", tenant: found };
  }
};

// Refused, or so it seems: an earlier request whose answer never came may have made the tenant since it was last looked
// for, which is one reason for a refusal. None can land any more, so one look tells.
const refuse = async (
  identity: Identity,
  context: StepContext,
  tenant: Tenant,
  asked: AskedFields,
  message: string,
): Promise<StepDone> => {
  const found = await look(identity, context, asked[slugFact] ?? tenant.slug);
  if (found !== undefined) return adopt(context, tenant, asked, found);
  await context.ledger.gone(identityKey(tenant));
  throw new PermanentStepError(
    "identity-refused",
    `the Identity API refused tenant ${tenant.slug}: ${message}. Nothing was made there; correct the request and send a new one`,
    { pivot: "refused" },
  );
};

const adopt = async (
  context: StepContext,
  tenant: Tenant,
  asked: AskedFields,
  found: IdentityTenant,
): Promise<StepDone> => {
  const differences = differencesOf(found, asked);
  if (differences.length > 0)
    throw new PermanentStepError(
      "identity-tenant-differs",
      `the Identity API has a tenant ${tenant.slug} (id ${found.id}) whose ${differences.join(", ")} differ from what was asked for: somebody else made or changed it. See whose it is; then resume once it is right or gone there`,
    );
  return finish(context, tenant, { tenantId: found.id, slug: found.slug });
};

const finish = async (
  context: StepContext,
  tenant: Tenant,
  made: { tenantId: string; adminUserId?: string; slug: string },
): Promise<StepDone> => {
  const key = identityKey(tenant);
  const known = (await context.ledger.find(key))?.facts;
  const adminUserId = made.adminUserId ?? known?.adminUserId;
  const ids = { tenantId: made.tenantId, ...(adminUserId === undefined ? {} : { adminUserId }) };
  await context.ledger.made(key, { ...ids, [slugFact]: made.slug });
  if (made.slug !== tenant.slug)
    throw new PermanentStepError(
      "identity-slug-differs",
      `the Identity API made tenant ${tenant.slug} under the slug ${made.slug} (id ${made.tenantId}): rename it there, then resume`,
    );
  const { reference } = await context.secrets.ensure(passwordPurpose, makePassword);
  return { outputs: { ...ids, slug: made.slug, passwordRef: reference }, resources: [key] };
};

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
