import {
  abandonFetched,
  type BackupId,
  commitFetched,
  type DataKey,
  fetchingPath,
  type ListDump,
  type Manifest,
  readBack,
  readManifest,
  readManifestIn,
} from "@deeplens/backup";

/**
 * Takes a backup in whose files were brought back: it must be this tenant's and is read back as one that was just taken,
 * and only then it counts. Where it counts already there is nothing to do.
 *
 * @throws with what is wrong with it; nothing is left of it then
 */
export const takeIn = async (
  id: BackupId,
  tenantId: string,
  {
    folder,
    key,
    listDump,
    signal,
  }: {
    readonly folder: string;
    readonly key: DataKey;
    readonly listDump: ListDump;
    readonly signal: AbortSignal;
  },
): Promise<Manifest> => {
  const path = await fetchingPath(folder, id);
  const reading = await readManifestIn(path, id, key);
  if (!reading.ok) {
    await abandonFetched(folder, id);
    const there = await readManifest(folder, id, key);
    if (there.ok) return there.manifest;
    throw new Error(`backup ${id} was not brought back: ${reading.reason}`);
  }
  const { manifest } = reading;
  const problems =
    manifest.tenantId === tenantId
      ? (await readBack(path, manifest, key, listDump, signal)).map(({ message }) => message)
      : [`it is a backup of tenant ${manifest.slug} (${manifest.tenantId})`];
  if (problems.length > 0) {
    await abandonFetched(folder, id);
    throw new Error(`backup ${id} that was brought back can't be used: ${problems.join("; ")}`);
  }
  await commitFetched(folder, id);
  return manifest;
};
