export type { CallTimeoutError } from "./calls.ts";
export * from "./ledger.ts";
export { credentialOf, type Life, lifeOperations } from "./life.ts";
export * from "./migrate.ts";
export { drift, type Look, needed, probed } from "./probing/probed.ts";
export { repairBy } from "./repair.ts";
export * from "./resource.ts";
export {
  loginsIn,
  type Rotating,
  type Rotation,
  rotationOperations,
  twoLogins,
  twoPasswords,
} from "./rotation.ts";
export * from "./run-worker.ts";
export * from "./step.ts";
export { wantedTier } from "./tier.ts";
