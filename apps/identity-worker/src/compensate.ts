import type { ReceiptLine } from "@deeplens/contracts";
import {
  type LedgerEntry,
  PermanentStepError,
  type StepContext,
  type Tenant,
  type UndoCommand,
} from "@deeplens/worker";
import { identityKey, passwordPurpose } from "./asked-tenant.ts";
import { type Identity, look, replacesFact, settle, without } from "./settle.ts";

/**
 * Identity can't be undone: its API has no delete. Before an intent and after a refusal nothing of this tenant is
 * there, and the receipt says so. After an intent the same holds once no request can take effect any more.
 *
 * @throws PermanentStepError `identity-cannot-be-undone` with the manual step, where the tenant is there and ours
 */
export const compensate = async (
  identity: Identity,
  { tenant }: UndoCommand,
  context: StepContext,
): Promise<readonly ReceiptLine[]> => {
  const key = identityKey(tenant);
  const entry = await context.ledger.find(key);
  const intent = entry?.owner === tenant.tenantId && entry.state !== "gone" ? entry : undefined;
  const outcome =
    intent === undefined
      ? await outcomeOfNothing(identity, context, tenant)
      : await outcomeOf(identity, context, tenant, intent);
  await context.secrets.remove(passwordPurpose);
  return [{ ...key, outcome }];
};

const outcomeOf = async (
  identity: Identity,
  context: StepContext,
  tenant: Tenant,
  intent: LedgerEntry,
): Promise<string> => {
  const found = await settle(without(identity, intent.facts[replacesFact]), context, tenant, intent);
  if (found !== undefined) throw cannotBeUndone(tenant, found.id);
  await context.ledger.gone(identityKey(tenant));
  return "absent";
};

/** Without an intent nothing was asked for: that the API does not answer now must not hold the whole rollback. */
const outcomeOfNothing = async (
  identity: Identity,
  context: StepContext,
  tenant: Tenant,
): Promise<string> => {
  try {
    return (await look(identity, context, tenant.slug)) === undefined ? "absent" : "foreign";
  } catch (error) {
    if (context.signal.aborted) throw error;
    context.log.warn({ reason: (error as Error).message }, "not looked for: it was never asked for");
    return "not-asked";
  }
};

const cannotBeUndone = ({ slug }: Tenant, id: string): PermanentStepError =>
  new PermanentStepError(
    "identity-cannot-be-undone",
    `tenant ${slug} is in the Identity API (id ${id}), which has no call to delete one. Either retry the saga forward, or have the API's operator delete the users of tenant ${id} and then the tenant itself in its database, see that GET /api/tenant/${slug} answers 404, and resume the rollback`,
  );
