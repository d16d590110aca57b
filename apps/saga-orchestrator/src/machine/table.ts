/**
 * A saga is a table of steps. The machine, the commands and their order of undo all follow from it.
 */
export interface StepDefinition {
  readonly step: string;
  /** The steps that must be done (or left out) before this one is commanded. */
  readonly after: readonly string[];
  /** Left out where the tenant has no use for it. */
  readonly when?: (tenant: { readonly storageType: string }) => boolean;
  /** Once it is commanded the saga only goes forward, unless its reply says that nothing was done. */
  readonly pivot?: true;
}

export type SagaTable = readonly StepDefinition[];

/** Gives a tenant all of its parts. Identity is last: its API has no delete. */
export const provisioning = [
  { step: "database", after: [] },
  { step: "storage", after: [], when: (tenant) => tenant.storageType !== "none" },
  { step: "vectors", after: [] },
  { step: "backup", after: ["database", "vectors"] },
  { step: "identity", after: ["storage", "backup"], pivot: true },
] as const satisfies SagaTable;

/** The steps that are undone before this one: those that came after it. */
export const dependentsOf = (table: SagaTable, step: string): string[] =>
  table.filter((other) => other.after.includes(step)).map((other) => other.step);

/** Throws for a table that no machine can be built from: an unknown or circular `after`, or work beside a pivot. */
export const checkTable = (table: SagaTable): void => {
  const seen = new Set<string>();
  for (const { step, after, pivot } of table) {
    for (const earlier of after)
      if (!seen.has(earlier))
        throw new Error(`step ${step} waits for ${earlier}, which does not stand before it`);
    if (seen.has(step)) throw new Error(`step ${step} stands twice in its table`);
    seen.add(step);
    if (pivot === true && !coversAll(table, step))
      throw new Error(`pivot ${step} must wait for every other step`);
  }
};

const coversAll = (table: SagaTable, pivot: string): boolean => {
  const covered = new Set([pivot]);
  for (const { step, after } of [...table].reverse())
    if (covered.has(step)) for (const one of after) covered.add(one);
  return covered.size === table.length;
};
