export * from "./fenced-error.ts";
export * from "./secret-store.ts";
