import type { ReceiptLine } from "@deeplens/contracts";
import { PermanentStepError, type StepContext, type Tenant, type UndoCommand } from "@deeplens/worker";
import { identityKey, passwordPurpose } from "./asked-tenant.ts";
import { type Identity, settle } from "./settle.ts";

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
  const found = await settle(identity, context, tenant, intent);
  if (found !== undefined && intent !== undefined) throw cannotBeUndone(tenant, found.id);
  if (intent !== undefined) await context.ledger.gone(key);
  await context.secrets.remove(passwordPurpose);
  return [{ ...key, outcome: found === undefined ? "absent" : "foreign" }];
};

const cannotBeUndone = ({ slug }: Tenant, id: string): PermanentStepError =>
  new PermanentStepError(
    "identity-cannot-be-undone",
    `tenant ${slug} is in the Identity API (id ${id}), which has no call to delete one. Either retry the saga forward, or have the API's operator delete the users of tenant ${id} and then the tenant itself in its database, see that GET /api/tenant/${slug} answers 404, and resume the rollback`,
  );
