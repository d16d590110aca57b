import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type BackupId, parseBackupId } from "./backup-id.ts";
import type { DataKey } from "./data-key.ts";
import { forgeryOf, type Manifest, manifestText, parseManifest } from "./manifest.ts";

// The folder of backups. A backup is written under `.taking-<id>`, its manifest last and in one step, and takes its
// name only when it was read back: whatever a crash leaves has no name that counts, and the next start sweeps it.
// One that is brought back from elsewhere comes in under `.fetching-<id>`, which a backup that is taken meanwhile leaves alone.

const takingPrefix = ".taking-";
const fetchingPrefix = ".fetching-";
/** The file that says what a backup is; where it lies, the backup counts. */
export const manifestFile = "manifest.json";
// What file systems put at the top of a volume.
const notOurs = new Set(["lost+found"]);
/** What the agent remembers of its drills; a hidden name, as those of its scratch folders. */
export const drillFile = ".drill.json";
/** A throw-away server's folder; what a crash left of it goes with the next drill. */
export const drillFolder = ".drill";
const ofTheAgent = new Set([drillFile, `${drillFile}.new`, drillFolder]);

/** What lies in the folder: backups, folders named like one without a manifest that can be read, and anything else. */
export interface Contents {
  /** Oldest first. */
  readonly backups: readonly Manifest[];
  readonly damaged: readonly { readonly id: BackupId; readonly reason: string }[];
  /** Names that no backup made, at the top (`notes.txt`) or inside a backup (`<id>/notes.txt`). */
  readonly unknown: readonly string[];
}

export const backupPath = (folder: string, id: BackupId): string => join(folder, id);

/** Makes the folder that a backup is written in until it is whole; gives its path. */
export const beginBackup = async (folder: string, id: BackupId): Promise<string> => {
  const path = join(folder, `${takingPrefix}${id}`);
  await mkdir(path, { mode: 0o700 });
  return path;
};

/** Writes the manifest in one step: a reader finds all of it or none. */
export const writeManifest = async (path: string, manifest: Manifest): Promise<void> => {
  const written = join(path, `.${manifestFile}`);
  const handle = await open(written, "wx", 0o600);
  try {
    await handle.writeFile(manifestText(manifest));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(written, join(path, manifestFile));
  await syncFolder(path);
};

/** Gives a backup that was read back the name that makes it count. */
export const commitBackup = async (folder: string, id: BackupId): Promise<void> => {
  await rename(join(folder, `${takingPrefix}${id}`), backupPath(folder, id));
  await syncFolder(folder);
};

/** Removes what a backup that failed has written so far. */
export const abandonBackup = async (folder: string, id: BackupId): Promise<void> =>
  rm(join(folder, `${takingPrefix}${id}`), { recursive: true, force: true });

/** Where the files of a backup that is brought back are put until it was read back; made where it is not there. */
export const fetchingPath = async (folder: string, id: BackupId): Promise<string> => {
  const path = join(folder, `${fetchingPrefix}${id}`);
  await mkdir(path, { recursive: true, mode: 0o700 });
  return path;
};

/**
 * Gives a backup that was brought back, and read back, the name that makes it count. A damaged one of that name goes
 * for it.
 */
export const commitFetched = async (folder: string, id: BackupId): Promise<void> => {
  if (await hasBackup(folder, id)) await removeBackup(folder, id);
  await rename(join(folder, `${fetchingPrefix}${id}`), backupPath(folder, id));
  await syncFolder(folder);
};

/** Removes what came in of a backup that was not brought back whole. */
export const abandonFetched = async (folder: string, id: BackupId): Promise<void> =>
  rm(join(folder, `${fetchingPrefix}${id}`), { recursive: true, force: true });

/** The backups that a crash left half brought back. */
export const halfFetched = async (folder: string): Promise<readonly BackupId[]> =>
  (await readdir(folder)).flatMap((name) => idAfter(fetchingPrefix, name) ?? []);

/** The folders that a crash left half-made; each is removed by abandonBackup once nothing else hangs on it. */
export const unfinishedBackups = async (
  folder: string,
): Promise<readonly { id: BackupId; path: string }[]> => {
  const names = await readdir(folder);
  return names.flatMap((name) => {
    const id = idAfter(takingPrefix, name);
    return id === undefined ? [] : [{ id, path: join(folder, name) }];
  });
};

/** Removes a whole backup, its name first, so that a crash in between leaves nothing that looks like one. */
export const removeBackup = async (folder: string, id: BackupId): Promise<void> => {
  const leaving = join(folder, `${takingPrefix}${id}`);
  await rename(backupPath(folder, id), leaving);
  await rm(leaving, { recursive: true, force: true });
};

/** What lies in the folder now; with the tenant's key, a manifest that it did not sign is damaged. */
export const readContents = async (folder: string, key?: DataKey): Promise<Contents> => {
  const backups: Manifest[] = [];
  const damaged: { id: BackupId; reason: string }[] = [];
  const unknown: string[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const id = parseBackupId(name);
    if (id !== undefined) {
      const files = await filesIn(backupPath(folder, id));
      // Removed while this was reading: it expired.
      if (files === undefined) continue;
      const result = await readManifest(folder, id, key);
      if (result.ok) {
        backups.push(result.manifest);
        const named = filesOf(result.manifest);
        unknown.push(...files.filter((file) => !named.has(file)).map((file) => `${id}/${file}`));
      } else if (await hasBackup(folder, id)) damaged.push({ id, reason: result.reason });
    } else if (!isUnfinished(name) && !notOurs.has(name) && !ofTheAgent.has(name)) unknown.push(name);
  }
  // An id has seconds only, and two may be begun in one.
  backups.sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
  return { backups, damaged, unknown };
};

/** True when a backup of that id is there, good or damaged. */
export const hasBackup = async (folder: string, id: BackupId): Promise<boolean> =>
  (await readdir(folder)).includes(id);

export type ManifestReading =
  | { readonly ok: true; readonly manifest: Manifest }
  | { readonly ok: false; readonly reason: string };

/** The manifest of one backup, or why it can't be read; it must bear its folder's name, and the key's signature. */
export const readManifest = (folder: string, id: BackupId, key?: DataKey): Promise<ManifestReading> =>
  readManifestIn(backupPath(folder, id), id, key);

/** The same of a backup that lies at `path`. */
export const readManifestIn = async (path: string, id: BackupId, key?: DataKey): Promise<ManifestReading> => {
  try {
    return manifestIn(await readFile(join(path, manifestFile), "utf8"), id, key);
  } catch (error) {
    return { ok: false, reason: `${manifestFile}: ${(error as Error).message}` };
  }
};

/** The manifest in the text of a manifest.json that lies under a backup's name. */
export const manifestIn = (text: string, id: BackupId, key?: DataKey): ManifestReading => {
  const result = parseManifest(text);
  if (!result.ok) return { ok: false, reason: `${manifestFile}: ${result.reason}` };
  if (result.manifest.id !== id)
    return { ok: false, reason: `${manifestFile}: is of the backup ${result.manifest.id}` };
  const forgery = key === undefined ? undefined : forgeryOf(result.manifest, key);
  return forgery === undefined ? result : { ok: false, reason: forgery.message };
};

/** Every file that a backup's folder holds. */
export const filesOf = (manifest: Manifest): ReadonlySet<string> =>
  new Set([manifestFile, ...manifest.parts.map((part) => part.file)]);

/** The names in a folder; undefined where it is gone. */
const filesIn = async (path: string): Promise<readonly string[] | undefined> => {
  try {
    return await readdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    // A file that bears a backup's name: its manifest can't be read, so it is told as damaged.
    if (code === "ENOTDIR") return [];
    throw error;
  }
};

const isUnfinished = (name: string): boolean =>
  [takingPrefix, fetchingPrefix].some((prefix) => idAfter(prefix, name) !== undefined);

const idAfter = (prefix: string, name: string): BackupId | undefined =>
  name.startsWith(prefix) ? parseBackupId(name.slice(prefix.length)) : undefined;

const syncFolder = async (path: string): Promise<void> => {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};
