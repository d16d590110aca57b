export * from "./drop-off.ts";
export * from "./fenced-error.ts";
export * from "./master-key.ts";
export * from "./postgres-secrets.ts";
export * from "./random-secret.ts";
export * from "./secret-store.ts";
