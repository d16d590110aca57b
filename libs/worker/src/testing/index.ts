export {
  type MemoryFences,
  type MemorySecrets,
  memoryFences,
  memorySecrets,
} from "@deeplens/secrets/testing";
export * from "./crash-points.ts";
export * from "./memory-ledger.ts";
export * from "./stopped-process.ts";
export * from "./stopping-call.ts";
export * from "./test-context.ts";
