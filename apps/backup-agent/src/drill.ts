import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Drill, drillFile, drillFolder, drillSchema } from "@deeplens/backup";
import { freeBytes } from "./check.ts";
import { type Reading, restoreDatabase, sumOf, tryVectors } from "./restore.ts";
import { withThrowAwayServer } from "./throw-away-server.ts";
import type { Vectors } from "./vectors.ts";

/**
 * Proves that a backup can be restored: its database into a throw-away server, its vectors into throw-away collections;
 * each table's rows and checksum and each collection's points are those that were backed up. Leaves nothing but the
 * note that it was done.
 */
export const drill = async (
  reading: Reading,
  services: { readonly vectors: Vectors; readonly path: string; readonly now: () => Date },
): Promise<Drill> => {
  const { folder, manifest, signal } = reading;
  const startedAt = services.now().toISOString();
  const needed = manifest.parts.reduce(
    (sum, part) => sum + ("databaseBytes" in part ? part.databaseBytes : 0),
    0,
  );
  if ((await freeBytes(folder)) < needed)
    throw new Error(
      `no space left on device: a drill of ${manifest.id} needs ${Math.ceil(needed / 1024 ** 2)} MiB in the volume`,
    );
  const compared = sumOf(
    await withThrowAwayServer(join(folder, drillFolder), services.path, signal, (database) =>
      restoreDatabase(reading, database),
    ),
    await tryVectors(reading, services.vectors),
  );
  const done = { backup: manifest.id, startedAt, finishedAt: services.now().toISOString(), compared };
  await note(folder, done);
  return done;
};

/** The last drill that was proven; undefined while there is none. */
export const lastDrill = async (folder: string): Promise<Drill | undefined> => {
  try {
    return drillSchema.parse(JSON.parse(await readFile(join(folder, drillFile), "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
};

const note = async (folder: string, done: Drill): Promise<void> => {
  const path = join(folder, drillFile);
  await writeFile(`${path}.new`, JSON.stringify(done), { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
};
