export * from "./ledger.ts";
export * from "./resource.ts";
export * from "./run-worker.ts";
export * from "./step.ts";
