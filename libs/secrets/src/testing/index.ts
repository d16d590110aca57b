export * from "./memory-fences.ts";
export * from "./memory-secrets.ts";
