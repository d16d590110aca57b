import type { ReceiptLine } from "@deeplens/contracts";
import type { Life, Operation, OperationCommand, StepContext } from "@deeplens/worker";
import { identityKey, passwordPurpose } from "./asked-tenant.ts";
import { type Identity, replacesFact, settle, without } from "./settle.ts";

/**
 * A tenant's record in the Identity API after its making. That API has no call to suspend, resume or delete one; the
 * lifecycle events tell it, and the receipts say so. Of a purge the record stays, the one legal residue: its id is put
 * out, so that the next tenant of that slug may replace it, and nobody else's (PROTOCOL.md 19).
 */
export const identityLife = (identity: Identity): Life => ({
  suspend: async ({ tenant }) => answer([{ ...identityKey(tenant), outcome: "no-call" }]),
  resume: async ({ tenant }) => answer([{ ...identityKey(tenant), outcome: "no-call" }]),
  purge: (command, context) => purge(identity, command, context),
});

const purge = async (
  identity: Identity,
  { tenant }: OperationCommand,
  context: StepContext,
): ReturnType<Operation> => {
  const key = identityKey(tenant);
  const entry = await context.ledger.find(key);
  // Also one that is gone: a purge before has come so far.
  const own = entry?.owner === tenant.tenantId ? entry : undefined;
  const found = await settle(without(identity, own?.facts[replacesFact]), context, tenant, own);
  const known = own?.facts.tenantId;
  const isOurs = own !== undefined && found !== undefined && (known === undefined || known === found.id);
  if (own !== undefined && own.state !== "gone") await context.ledger.gone(key);
  await context.secrets.remove(passwordPurpose);
  if (found === undefined) return answer([{ ...key, outcome: "absent" }]);
  if (!isOurs) return answer([{ ...key, outcome: "foreign" }]);
  return answer(
    [
      { ...key, outcome: "kept" },
      { kind: "identity-record", name: found.id, outcome: "kept" },
    ],
    { identityTenantId: found.id },
  );
};

const answer = (
  receipt: readonly ReceiptLine[],
  outputs: Readonly<Record<string, string>> = {},
): Awaited<ReturnType<Operation>> => ({ outputs, resources: [], receipt });
