/**
 * Backups of the control database, in the format of tenants' backups with one part. Each has a data key of its own, which
 * its manifest holds wrapped by the master key: a folder of backups and the master key are all that a recovery needs.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import {
  abandonBackup,
  backupIdOf,
  backupPath,
  beginBackup,
  commitBackup,
  type DataKey,
  expiredBackups,
  type Manifest,
  newDataKey,
  parseDataKey,
  partName,
  readBack,
  readContents,
  removeBackup,
  sealedKeyOf,
  signedManifest,
  unfinishedBackups,
  wrappedKeyOf,
  writeManifest,
  writePart,
} from "@deeplens/backup";
import { tenantIdOf } from "@deeplens/contracts";
import { type MasterKey, seal, unseal } from "@deeplens/secrets";
import type { Database } from "../database.ts";

export interface ControlBackups {
  readonly installation: string;
  readonly folder: string;
  readonly masterKey: MasterKey;
  readonly database: Database;
  readonly retentionDays: number;
  readonly now: () => Date;
}

const file = "control.dump.enc";

/** Whose backups they are: an id that follows from the installation's name. */
export const ownerOf = (installation: string): string => tenantIdOf("control-database", installation);

const keyContext = (installation: string): readonly string[] => [
  ownerOf(installation),
  "control.key",
  "manifest",
];

/**
 * Takes one: dumps, writes the manifest, reads all of it back, and only then gives it the name that makes it count.
 *
 * @throws with the reason; nothing is left of it then
 */
export const takeControlBackup = async (
  backups: ControlBackups,
  trigger: Manifest["trigger"],
  signal: AbortSignal,
): Promise<Manifest> => {
  const { folder, database, installation, masterKey, now } = backups;
  for (const { id } of await unfinishedBackups(folder)) await abandonBackup(folder, id); // a crash's
  const id = backupIdOf(now(), randomBytes(3));
  const startedAt = now().toISOString();
  const plainKey = newDataKey();
  const key = parseDataKey(plainKey);
  const tenantId = ownerOf(installation);
  const path = await beginBackup(folder, id);
  try {
    const dumped = await database.dump(
      (dump) =>
        writePart(
          dump,
          { path: join(path, file), key, name: partName(tenantId, id, file), compression: "zstd" },
          signal,
        ),
      signal,
    );
    const manifest = signedManifest(
      {
        ...{ id, tenantId, slug: "control-database", trigger, startedAt },
        finishedAt: now().toISOString(),
        parts: [{ part: "database", file, compression: "zstd", ...dumped }],
      },
      key,
      wrappedKeyOf(seal(masterKey, plainKey, keyContext(installation))),
    );
    await writeManifest(path, manifest);
    const problems = await readBack(path, manifest, key, database.listDump, signal);
    if (problems.length > 0)
      throw new Error(`the backup can't be read back: ${problems.map(({ message }) => message).join("; ")}`);
    await commitBackup(folder, id);
    return manifest;
  } catch (error) {
    await abandonBackup(folder, id);
    throw error;
  }
};

/** A backup's data key. @throws where the master key does not open it, or it is another installation's */
export const keyOf = (
  { installation, masterKey }: Pick<ControlBackups, "installation" | "masterKey">,
  { key: { wrapped }, id }: Manifest,
): DataKey => {
  try {
    return parseDataKey(unseal(masterKey, sealedKeyOf(wrapped), keyContext(installation)));
  } catch (error) {
    throw new Error(
      `backup ${id} does not open with this master key, or is not of installation ${installation}: ${(error as Error).message}`,
    );
  }
};

/** Reads one back. @throws with all that is wrong with it */
export const verifyControlBackup = async (
  backups: ControlBackups,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<DataKey> => {
  const key = keyOf(backups, manifest);
  const path = backupPath(backups.folder, manifest.id);
  const problems = await readBack(path, manifest, key, backups.database.listDump, signal);
  if (problems.length > 0)
    throw new Error(
      `backup ${manifest.id} can't be used: ${problems.map(({ message }) => message).join("; ")}`,
    );
  return key;
};

/** The backups that can be read as such, oldest first. */
export const listControlBackups = async (folder: string): Promise<readonly Manifest[]> =>
  (await readContents(folder)).backups;

/** Removes those that are past their time, never the last good one. */
export const removeExpired = async ({ folder, now, retentionDays }: ControlBackups): Promise<void> => {
  for (const id of expiredBackups(await listControlBackups(folder), now(), retentionDays))
    await removeBackup(folder, id);
};
