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
  const found = await dropOffs.find(credentialRef);
  if (found === undefined) throw problem(new DropOffError("unknown", credentialRef));
  if (found.boundTo !== null && found.boundTo !== tenantId)
    throw problem(new DropOffError("of-other-tenant", credentialRef));
  if (found.kind !== location.provider) throw problem(new DropOffError("of-other-kind", credentialRef));
};

const problem = ({ code, message }: DropOffError): Problem =>
  new Problem(422, `credentials-${code}`, `storage.credentialRef: ${message}`, nextOf(code), {
    field: "storage.credentialRef",
  });

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
