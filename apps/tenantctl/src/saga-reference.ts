import type { ApiClient } from "@deeplens/client";
import { Refused } from "./refused.ts";
import { isId, tenantReference } from "./tenant-reference.ts";

/** The id of the saga that a person means: its own, or the latest of a tenant by name. */
export const sagaIdOf = async (api: ApiClient, reference: string): Promise<string> => {
  if (isId(reference)) return reference.toLowerCase();
  return sagaOfTenant(await api.tenant(tenantReference(reference)));
};

/** The latest saga of a tenant. @throws Refused where none is kept any more */
export const sagaOfTenant = (tenant: { slug: string; sagaId: string | null }): string => {
  if (tenant.sagaId !== null) return tenant.sagaId;
  throw new Refused(
    "saga-pruned",
    `the tenant ${tenant.slug} has no saga any more: finished ones are pruned by age`,
    `see \`tenantctl status ${tenant.slug}\` for the tenant itself`,
  );
};
