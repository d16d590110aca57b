import { type Life, type Operation, operationDone } from "@deeplens/worker";
import { identityKey, passwordPurpose } from "./asked-tenant.ts";
import { type Identity, replacesFact, settle, without } from "./settle.ts";

/**
 * A tenant's record in the Identity API after its making. That API has no call to suspend, resume or delete one; the
 * lifecycle events tell it, and the receipts say so. Of a purge the record stays, the one legal residue: its id is put
 * out, so that the next tenant of that slug may replace it, and nobody else's (PROTOCOL.md 19).
 */
export const identityLife = (identity: Identity): Life => ({
  suspend: async ({ tenant }) => operationDone([{ ...identityKey(tenant), outcome: "no-call" }]),
  resume: async ({ tenant }) => operationDone([{ ...identityKey(tenant), outcome: "no-call" }]),
  purge: purge(identity),
});

const purge =
  (identity: Identity): Operation =>
  async ({ tenant }, context) => {
    const key = identityKey(tenant);
    const entry = await context.ledger.find(key);
    // Also one that is gone: a purge before has come so far.
    const own = entry?.owner === tenant.tenantId ? entry : undefined;
    const found = await settle(without(identity, own?.facts[replacesFact]), context, tenant, own);
    const known = own?.facts.tenantId;
    const isOurs = own !== undefined && found !== undefined && (known === undefined || known === found.id);
    if (own !== undefined && own.state !== "gone") await context.ledger.gone(key);
    await context.secrets.remove(passwordPurpose);
    if (found === undefined) return operationDone([{ ...key, outcome: "absent" }]);
    if (!isOurs) return operationDone([{ ...key, outcome: "foreign" }]);
    return operationDone(
      [
        { ...key, outcome: "kept" },
        { kind: "identity-record", name: found.id, outcome: "kept" },
      ],
      { identityTenantId: found.id },
    );
  };
