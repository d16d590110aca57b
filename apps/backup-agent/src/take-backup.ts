import { join } from "node:path";
import {
  type BackupId,
  beginBackup,
  commitBackup,
  type DatabasePart,
  type Manifest,
  manifestVersion,
  readBack,
  type VectorsPart,
  writeManifest,
  writePart,
} from "@deeplens/backup";
import type { Database } from "./database.ts";
import { closeJournal, noteSnapshot } from "./snapshot-journal.ts";
import { removeUnfinished } from "./sweep.ts";
import type { Vectors } from "./vectors.ts";

export interface BackupPlan {
  readonly folder: string;
  readonly id: BackupId;
  readonly tenantId: string;
  readonly slug: string;
  readonly trigger: Manifest["trigger"];
  readonly toolVersion: string;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/**
 * Takes one backup: the dump and a snapshot of each collection, the manifest last; reads all of it back, and only then
 * gives it the name that makes it count.
 *
 * @throws with the reason; what is left of it then has no name that counts, and is swept
 */
export const takeBackup = async (
  plan: BackupPlan,
  database: Database,
  vectors: Vectors,
): Promise<Manifest> => {
  const startedAt = plan.now().toISOString();
  const path = await beginBackup(plan.folder, plan.id);
  try {
    const parts = await takeParts(path, database, vectors, plan);
    await closeJournal(path);
    const manifest: Manifest = {
      formatVersion: manifestVersion,
      id: plan.id,
      tenantId: plan.tenantId,
      slug: plan.slug,
      trigger: plan.trigger,
      startedAt,
      finishedAt: plan.now().toISOString(),
      parts,
    };
    await writeManifest(path, manifest);
    const problems = await readBack(path, manifest, database.listDump, plan.signal);
    if (problems.length > 0) throw new Error(`the backup can't be read back: ${problems.join("; ")}`);
    await commitBackup(plan.folder, plan.id);
    return manifest;
  } catch (error) {
    await removeUnfinished(plan.folder, { id: plan.id, path }, vectors).catch(() => {
      // Stays unfinished, and is swept (and told) before the next backup.
    });
    throw error;
  }
};

/**
 * The dump and the snapshots at once. Where snapshots fail the dump is ended; where the dump fails the snapshots are
 * waited for, because Qdrant finishes what it began, and only what has come back can be deleted there.
 */
const takeParts = async (
  path: string,
  database: Database,
  vectors: Vectors,
  plan: BackupPlan,
): Promise<Manifest["parts"]> => {
  const snapshotsFailed = new AbortController();
  const snapshots = snapshotCollections(path, vectors, plan);
  const dump = dumpDatabase(path, database, AbortSignal.any([plan.signal, snapshotsFailed.signal]));
  snapshots.catch((error: unknown) => snapshotsFailed.abort(error));
  const [dumped, taken] = await Promise.allSettled([dump, snapshots]);
  if (taken.status === "rejected") throw taken.reason;
  if (dumped.status === "rejected") throw dumped.reason;
  return [dumped.value, ...taken.value];
};

const dumpDatabase = async (path: string, database: Database, signal: AbortSignal): Promise<DatabasePart> => {
  const file = "database.dump";
  return { part: "database", file, ...(await database.dump(join(path, file), signal)) };
};

const snapshotCollections = async (
  path: string,
  vectors: Vectors,
  plan: BackupPlan,
): Promise<readonly VectorsPart[]> => {
  const serverVersion = await vectors.version(plan.signal);
  const parts: VectorsPart[] = [];
  // One after the other: a snapshot costs Qdrant memory and disk.
  for (const collection of await vectors.collections(plan.signal)) {
    // A collection's name may hold anything; a file's name of ours says only which one it is.
    const file = `vectors-${String(parts.length + 1).padStart(4, "0")}.snapshot`;
    parts.push({
      part: "vectors",
      file,
      collection,
      serverVersion,
      toolVersion: plan.toolVersion,
      ...(await snapshotCollection(path, file, collection, vectors, plan)),
    });
  }
  return parts;
};

const snapshotCollection = async (
  path: string,
  file: string,
  collection: string,
  vectors: Vectors,
  { now, signal }: BackupPlan,
): Promise<Pick<VectorsPart, "points" | "aliases" | "takenAt" | "sha256" | "sizeBytes">> => {
  const points = await vectors.points(collection, signal);
  const aliases = await vectors.aliases(collection, signal);
  const takenAt = now().toISOString();
  const snapshot = await vectors.snapshot(collection, signal);
  await noteSnapshot(path, snapshot);
  const digest = await writePart(await vectors.download(snapshot, signal), join(path, file), signal);
  if (snapshot.sha256 !== undefined && snapshot.sha256 !== digest.sha256)
    throw new Error(
      `the snapshot of ${collection} came in with the checksum ${digest.sha256}, and Qdrant says ${snapshot.sha256}`,
    );
  await vectors.forget(snapshot, signal);
  return { points, aliases: [...aliases], takenAt, ...digest };
};
