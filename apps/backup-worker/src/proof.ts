import type { Verification } from "@deeplens/backup";

/** What a tenant's backup must be of. */
export interface Expected {
  readonly tenantId: string;
  readonly slug: string;
  readonly database: string;
  /** The collection that every tenant has, where it is known. */
  readonly collection: string | undefined;
}

/** What is wrong with a backup that was read back, in words; empty for one that proves the step. */
export const proofProblems = (
  { manifest, problems }: Verification,
  expected: Expected,
): readonly string[] => {
  const found = problems.map(({ message }) => message);
  if (manifest === undefined) return found.length > 0 ? found : ["it has no manifest"];
  if (manifest.tenantId !== expected.tenantId || manifest.slug !== expected.slug)
    found.push(`its manifest names tenant ${manifest.slug} (${manifest.tenantId})`);
  const databases = manifest.parts.filter((part) => part.part === "database");
  if (!databases.some(({ database }) => database === expected.database))
    found.push(`it has no dump of the database ${expected.database}`);
  const vectors = manifest.parts.filter((part) => part.part === "vectors");
  if (vectors.length === 0) found.push("it has no snapshot of any collection");
  else if (
    expected.collection !== undefined &&
    !vectors.some(({ collection }) => collection === expected.collection)
  )
    found.push(`it has no snapshot of the collection ${expected.collection}`);
  return found;
};
