export type { CallTimeoutError } from "./calls.ts";
export * from "./ledger.ts";
export { credentialOf, type Life, lifeOperations } from "./life.ts";
export * from "./migrate.ts";
export { drift, type Look, needed, probed } from "./probing/probed.ts";
export * from "./resource.ts";
export * from "./run-worker.ts";
export * from "./step.ts";
export { wantedTier } from "./tier.ts";
