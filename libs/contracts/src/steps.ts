/** The steps that a tenant is made of; each has a worker and a command topic of its own. */
export const stepNames = ["database", "storage", "vectors", "backup", "identity"] as const;

export type StepName = (typeof stepNames)[number];

/** True for the name of a step of the product. */
export const isStepName = (value: string): value is StepName =>
  (stepNames as readonly string[]).includes(value);
