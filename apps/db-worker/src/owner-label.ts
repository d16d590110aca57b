import { labelNames, type TenantId } from "@deeplens/contracts";
import { labelled, nothing, type Sight } from "@deeplens/worker";

/** The comment of a tenant's role or database: any tool can read whose it is. */
export const ownerLabel = (tenantId: TenantId, installation: string): string =>
  `${labelNames.tenantId}=${tenantId} ${labelNames.installation}=${installation}`;

const tenantIdIn = /deeplens\.tenant-id=([0-9a-f-]{36})(?![0-9a-f-])/;

/**
 * What a look at a role's comment says. A role without our label is somebody else's, whatever the ledger holds: ours
 * got its comment in the transaction that made it (PROTOCOL.md 12).
 *
 * @param comments one for each thing found: none or one
 */
export const sightOf = (comments: readonly (string | null)[]): Sight => {
  const [comment] = comments;
  if (comment === undefined) return nothing;
  return labelled(tenantIdIn.exec(comment ?? "")?.[1] ?? "nobody");
};
