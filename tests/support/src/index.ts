export * from "./clean-ups.ts";
export * from "./environment.ts";
export * from "./holding-proxy.ts";
export * from "./kafka-leftovers.ts";
export * from "./stack.ts";
export * from "./test-database.ts";
