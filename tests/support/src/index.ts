export * from "./clean-ups.ts";
export * from "./holding-proxy.ts";
export * from "./stack.ts";
export * from "./test-database.ts";
