export * from "./stack.ts";
export * from "./test-database.ts";
