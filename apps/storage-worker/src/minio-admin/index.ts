/** MinIO's admin API, as far as it is used here: the `minio` package has none of it. */
export { type AdminAccess, MinioError, send } from "./client.ts";
export * from "./health.ts";
export * from "./policies.ts";
export * from "./quota.ts";
export * from "./usage.ts";
export * from "./users.ts";
