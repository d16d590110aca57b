/** The steps that a tenant is made of; each has a worker and a command topic of its own. */
export const stepNames = ["database", "storage", "vectors", "backup", "identity"] as const;

export type StepName = (typeof stepNames)[number];

/** True for the name of a step of the product. */
export const isStepName = (value: string): value is StepName =>
  (stepNames as readonly string[]).includes(value);

/** Parts whose credentials can be rotated, each with all that its tenant logs in with. */
export const rotatedParts = ["database", "storage", "vectors"] as const satisfies readonly StepName[];
export type RotatedPart = (typeof rotatedParts)[number];
