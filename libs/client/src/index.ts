export * from "./api-client.ts";
export * from "./api-errors.ts";
export type * from "./api-types.ts";
export { type FollowOptions, followSaga } from "./follow-saga.ts";
export type { TenantNews } from "./follow-tenant.ts";
export type { RequestedTenant, TenantWish } from "./request-tenant.ts";
export type { SubscribeOptions, Subscription } from "./subscribe.ts";
export { connectTenants, type TenantsClient, type TenantsClientOptions } from "./tenants-client.ts";
