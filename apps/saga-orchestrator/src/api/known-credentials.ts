import { type StorageModel, type TenantId, unreachable } from "@deeplens/contracts";
import { DropOffError, type DropOffs } from "@deeplens/secrets";
import { Problem } from "./problem.ts";

/**
 * Refuses a request whose credentials this tenant can't have: the storage worker would say the same, but only when the
 * rest of the tenant was begun. (By Kafka it is the worker that says it.)
 */
export const refuseUnknownCredentials = async (
  dropOffs: DropOffs,
  storage: StorageModel,
  tenantId: TenantId,
): Promise<void> => {
  if (storage.type !== "byos") return;
  const { credentialRef, location } = storage;
  await refuseUnusable(dropOffs, credentialRef, location.provider, tenantId, "storage.credentialRef");
};

/** The same of a reference alone: `field` is where the request names it. */
export const refuseUnusable = async (
  dropOffs: DropOffs,
  reference: string,
  provider: string | undefined,
  tenantId: string,
  field: string,
): Promise<void> => {
  const refuse = (code: DropOffError["code"]): Problem => {
    const { message } = new DropOffError(code, reference);
    return new Problem(422, `credentials-${code}`, `${field}: ${message}`, nextOf(code), { field });
  };
  const found = await dropOffs.find(reference);
  if (found === undefined) throw refuse("unknown");
  if (found.boundTo !== null && found.boundTo !== tenantId) throw refuse("of-other-tenant");
  if (provider !== undefined && found.kind !== provider) throw refuse("of-other-kind");
};

const nextOf = (code: DropOffError["code"]): string => {
  switch (code) {
    case "unknown":
    case "of-other-tenant":
    case "spent":
      return "drop the tenant's own credentials off with POST /v1/secrets, and name that reference";
    case "of-other-kind":
      return "name the provider that these credentials are of, or drop off those of the provider";
    default:
      return unreachable(code);
  }
};
