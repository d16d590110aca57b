export * from "./api.ts";
export type { TenantNews } from "./follow-tenant.ts";
export type { RemovalWish, RequestedTenant, TenantWish } from "./request-tenant.ts";
export type { SubscribeOptions, Subscription } from "./subscribe.ts";
export { connectTenants, type TenantsClient, type TenantsClientOptions } from "./tenants-client.ts";
