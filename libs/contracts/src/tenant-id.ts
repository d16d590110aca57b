import { v5 } from "uuid";

/** The owner of everything that a tenant has. Never changes. */
export type TenantId = string & { readonly __brand: "TenantId" };

const namespace = "6f0c1c1e-6d0b-5d5e-9d0b-2f9f3b1d7a55";

/**
 * The id of the tenant that a request asks for: UUIDv5 of (source, request id), so the same request always means the
 * same tenant, also when it is replayed after a disaster.
 */
export const tenantIdOf = (source: string, requestId: string): TenantId =>
  v5(JSON.stringify([source, requestId]), namespace) as TenantId;
