export * from "./secret-store.ts";
