import { join } from "node:path";
import { Readable } from "node:stream";
import {
  type AgentSettings,
  type BackupId,
  beginBackup,
  type Compression,
  commitBackup,
  type DataKey,
  type Digest,
  type Manifest,
  partName,
  readBack,
  signedManifest,
  type VectorsPart,
  writeManifest,
  writePart,
} from "@deeplens/backup";
import { allOrNone } from "./all-or-none.ts";
import type { Database } from "./database.ts";
import type { Keys } from "./keys.ts";
import { closeJournal, noteSnapshot } from "./snapshot-journal.ts";
import { removeUnfinished } from "./sweep.ts";
import { trialPrefix, type Vectors } from "./vectors.ts";

/** What a backup is taken of. */
export interface Sources {
  readonly database: Database;
  readonly vectors: Vectors;
  readonly keys: Keys;
}

export interface BackupPlan {
  readonly folder: string;
  readonly id: BackupId;
  readonly settings: Pick<AgentSettings, "tenantId" | "slug" | "wrappedKey" | "topic">;
  readonly key: DataKey;
  readonly trigger: Manifest["trigger"];
  readonly toolVersion: string;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/**
 * Takes one backup: dump, snapshot of each collection, Redis keys and the topic's configuration, the manifest last;
 * reads all of it back, and only then gives it the name that makes it count.
 *
 * @throws with the reason; what is left of it then has no name that counts, and is swept
 */
export const takeBackup = async (plan: BackupPlan, sources: Sources): Promise<Manifest> => {
  const startedAt = plan.now().toISOString();
  const path = await beginBackup(plan.folder, plan.id);
  try {
    const parts = await takeParts(path, sources, plan);
    await closeJournal(path);
    const { tenantId, slug, wrappedKey } = plan.settings;
    const manifest = signedManifest(
      {
        id: plan.id,
        ...{ tenantId, slug, startedAt, parts },
        trigger: plan.trigger,
        finishedAt: plan.now().toISOString(),
      },
      plan.key,
      wrappedKey,
    );
    await writeManifest(path, manifest);
    const problems = await readBack(path, manifest, plan.key, sources.database.listDump, plan.signal);
    if (problems.length > 0)
      throw new Error(`the backup can't be read back: ${problems.map(({ message }) => message).join("; ")}`);
    await commitBackup(plan.folder, plan.id);
    return manifest;
  } catch (error) {
    await removeUnfinished(plan.folder, { id: plan.id, path }, sources.vectors).catch(() => {
      // Stays unfinished, and is swept (and told) before the next backup.
    });
    throw error;
  }
};

/**
 * All parts at once, so that their moments lie close together. Where snapshots fail the dumps are ended; where a dump
 * fails the snapshots are waited for, because Qdrant finishes what it began, and only what has come back can be
 * deleted there.
 */
const takeParts = async (path: string, sources: Sources, plan: BackupPlan): Promise<Manifest["parts"]> => {
  const [dump, keys, topic, snapshots] = await allOrNone(
    plan.signal,
    (signal) => dumpDatabase(path, sources.database, plan, signal),
    (signal) => dumpKeys(path, sources.keys, plan, signal),
    (signal) => writeTopic(path, plan, signal),
    () => snapshotCollections(path, sources.vectors, plan),
  );
  return [dump, ...snapshots, keys, topic];
};

type Part<Name> = Extract<Manifest["parts"][number], { part: Name }>;

const writing =
  (
    path: string,
    { key, settings, id }: BackupPlan,
    file: string,
    compression: Compression,
    signal: AbortSignal,
  ) =>
  (source: Readable): Promise<Digest> =>
    writePart(
      source,
      { path: join(path, file), key, name: partName(settings.tenantId, id, file), compression },
      signal,
    );

const dumpDatabase = async (
  path: string,
  database: Database,
  plan: BackupPlan,
  signal: AbortSignal,
): Promise<Part<"database">> => {
  const [file, compression] = ["database.dump.zst.enc", "zstd"] as const;
  const dumped = await database.dump(writing(path, plan, file, compression, signal), signal);
  return { part: "database", file, compression, ...dumped };
};

const dumpKeys = async (
  path: string,
  keys: Keys,
  plan: BackupPlan,
  signal: AbortSignal,
): Promise<Part<"redis">> => {
  const [file, compression] = ["redis.resp.zst.enc", "zstd"] as const;
  const takenAt = plan.now().toISOString();
  const dumped = await keys.dump(writing(path, plan, file, compression, signal), signal);
  return { part: "redis", file, compression, takenAt, toolVersion: plan.toolVersion, ...dumped };
};

const writeTopic = async (path: string, plan: BackupPlan, signal: AbortSignal): Promise<Part<"topic">> => {
  const [file, compression] = ["topic.json.enc", "none"] as const;
  const { name, asOf, ...rest } = plan.settings.topic;
  const text = `${JSON.stringify({ name, ...rest }, undefined, 2)}\n`;
  const digest = await writing(path, plan, file, compression, signal)(Readable.from([Buffer.from(text)]));
  return {
    part: "topic",
    ...{ file, compression, topic: name, takenAt: asOf, serverVersion: "kafka" },
    toolVersion: plan.toolVersion,
    ...digest,
  };
};

const snapshotCollections = async (
  path: string,
  vectors: Vectors,
  plan: BackupPlan,
): Promise<readonly VectorsPart[]> => {
  const serverVersion = await vectors.version(plan.signal);
  const parts: VectorsPart[] = [];
  const collections = await vectors.collections(plan.signal);
  // One after the other: a snapshot costs Qdrant memory and disk.
  for (const collection of collections.filter((name) => !name.startsWith(trialPrefix))) {
    // A collection's name may hold anything; a file's name of ours says only which one it is.
    const file = `vectors-${String(parts.length + 1).padStart(4, "0")}.snapshot.zst.enc`;
    parts.push({
      part: "vectors",
      file,
      compression: "zstd",
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
  plan: BackupPlan,
): Promise<Digest & Pick<VectorsPart, "points" | "pointsAfter" | "aliases" | "takenAt">> => {
  const { now, signal } = plan;
  const points = await vectors.points(collection, signal);
  const aliases = await vectors.aliases(collection, signal);
  const takenAt = now().toISOString();
  const snapshot = await vectors.snapshot(collection, signal);
  await noteSnapshot(path, snapshot);
  const pointsAfter = await vectors.points(collection, signal);
  const content = await vectors.download(snapshot, signal);
  const digest = await writing(path, plan, file, "zstd", signal)(content);
  if (snapshot.sha256 !== undefined && snapshot.sha256 !== digest.plainSha256)
    throw new Error(
      `the snapshot of ${collection} came in with the checksum ${digest.plainSha256}, and Qdrant says ${snapshot.sha256}`,
    );
  await vectors.forget(snapshot, signal);
  return { points, pointsAfter, aliases: [...aliases], takenAt, ...digest };
};
