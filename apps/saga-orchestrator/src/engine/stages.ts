/**
 * The stages of a batch's way; a crash between any two of them must lose nothing and double nothing. At `written` the
 * transaction is on its way to the database, and its outcome not known yet.
 */
export const stages = [
  "taken",
  "received",
  "written",
  "committed",
  "publishing",
  "published",
  "deleted",
  "hinted",
] as const;

export type Stage = (typeof stages)[number];

/** Told when a stage is reached; what production passes does nothing. */
export type OnStage = (stage: Stage) => void;
