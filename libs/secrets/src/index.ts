export * from "./drop-off.ts";
export * from "./fenced-error.ts";
export * from "./live-master-key.ts";
export * from "./master-key.ts";
export * from "./postgres-secrets.ts";
export * from "./random-secret.ts";
export * from "./rewrap.ts";
export * from "./secret-store.ts";
