import {
  backupPath,
  type Compared,
  type DatabasePart,
  type DataKey,
  fileOf,
  type Manifest,
  openPart,
  type Part,
  type VectorsPart,
} from "@deeplens/backup";
import type { Database } from "./database.ts";
import { trialPrefix, type Vectors } from "./vectors.ts";

/** A backup that is to be restored from. */
export interface Reading {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly key: DataKey;
  readonly signal: AbortSignal;
}

const nothing: Compared = { tables: 0, rows: 0, collections: 0, points: 0 };

/**
 * Restores a backup's database into an empty one, and compares each table's rows and checksum with the manifest's.
 *
 * @throws when it can't be restored, or something else came out of it
 */
export const restoreDatabase = async (reading: Reading, into: Database): Promise<Compared> => {
  const part = reading.manifest.parts.find((one): one is DatabasePart => one.part === "database");
  if (part === undefined) throw new Error(`backup ${reading.manifest.id} holds no database`);
  await readWhole(reading, part, (plain) => into.restore(plain, reading.signal));
  const restored = await into.tables(reading.signal);
  const lineOf = ({ schema, table, rows, checksum }: DatabasePart["tables"][number]): string =>
    `${schema}.${table} (${rows} rows, checksum ${checksum})`;
  const [wanted, found] = [part.tables.map(lineOf), restored.map(lineOf)];
  const differing = wanted.filter((line, at) => line !== found[at]);
  if (differing.length > 0 || wanted.length !== found.length)
    throw new Error(
      `what came out of backup ${reading.manifest.id} is not what went in: expected ${differing.slice(0, 3).join(", ")}; found ${
        found
          .filter((line) => !wanted.includes(line))
          .slice(0, 3)
          .join(", ") || "nothing of it"
      }`,
    );
  const rows = part.tables.reduce((sum, table) => sum + table.rows, 0);
  return { ...nothing, tables: part.tables.length, rows };
};

/** Restores a backup's vectors into collections beside the live ones, compares their counts, and removes them. */
export const tryVectors = async (reading: Reading, vectors: Vectors): Promise<Compared> => {
  await removeTrials(vectors, reading.signal); // what a crash left
  try {
    return await eachCollection(reading, (part, number) =>
      recover(reading, part, `${trialPrefix}${number}`, vectors),
    );
  } finally {
    // By no signal but its own time: a trial that was stopped is tidied up too.
    await removeTrials(vectors, AbortSignal.timeout(tidyMs));
  }
};

const tidyMs = 30_000;

/** Makes the live collections what a backup holds of them, with their aliases. Others are left as they are. */
export const switchVectors = (reading: Reading, vectors: Vectors): Promise<Compared> =>
  eachCollection(reading, async (part) => {
    const points = await recover(reading, part, part.collection, vectors);
    await vectors.point(part.collection, part.aliases, reading.signal);
    return points;
  });

export const sumOf = (one: Compared, other: Compared): Compared => ({
  tables: one.tables + other.tables,
  rows: one.rows + other.rows,
  collections: one.collections + other.collections,
  points: one.points + other.points,
});

const eachCollection = async (
  { manifest }: Reading,
  work: (part: VectorsPart, number: number) => Promise<number>,
): Promise<Compared> => {
  let compared = nothing;
  for (const part of manifest.parts) {
    if (part.part !== "vectors") continue;
    const points = await work(part, compared.collections + 1);
    compared = sumOf(compared, { ...nothing, collections: 1, points });
  }
  return compared;
};

const recover = async (
  reading: Reading,
  part: VectorsPart,
  collection: string,
  vectors: Vectors,
): Promise<number> => {
  const { signal } = reading;
  await readWhole(reading, part, (content) =>
    vectors.recover(collection, { content, bytes: part.plainBytes, sha256: part.plainSha256 }, signal),
  );
  const points = await vectors.points(collection, signal);
  const [least, most] = [part.points, part.pointsAfter].toSorted((a, b) => a - b) as [number, number];
  if (points < least || points > most)
    throw new Error(
      `${part.collection} came out of backup ${reading.manifest.id} with ${points} points, and ${least === most ? least : `${least} to ${most}`} went in`,
    );
  return points;
};

const removeTrials = async (vectors: Vectors, signal: AbortSignal): Promise<void> => {
  for (const collection of await vectors.collections(signal))
    if (collection.startsWith(trialPrefix)) await vectors.remove(collection, signal);
};

/** Hands a part on: nothing of it that was not authenticated. */
const readWhole = async (
  { folder, manifest, key, signal }: Reading,
  part: Part,
  read: (plain: AsyncIterable<Buffer>) => Promise<void>,
): Promise<void> => openPart(fileOf(backupPath(folder, manifest.id), manifest, part, key), read, signal);
