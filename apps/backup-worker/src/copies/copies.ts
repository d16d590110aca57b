import { createHash } from "node:crypto";
import { text } from "node:stream/consumers";
import {
  type BackupId,
  type DataKey,
  type Manifest,
  manifestFile,
  manifestIn,
  parseBackupId,
  startOf,
} from "@deeplens/backup";
import type { AgentClient } from "../agent-client.ts";
import type { Bucket, StoredObject } from "./bucket.ts";

// A tenant's copies lie under `<installation>/<tenant id>/<backup>/`, file by file as in the volume. The manifest is
// written last, after every other file was read back from the bucket and had its checksum: where a manifest lies, the
// copy counts. Whatever a crash leaves has none, is written over by the next try, and goes when its backup has gone.

/** Whose copies. */
export interface CopiesOf {
  readonly installation: string;
  readonly tenantId: string;
}

/** A copy as the bucket lists it. */
export interface Copy {
  readonly id: BackupId;
  readonly sizeBytes: number;
}

export interface Copies {
  /** Those that count, oldest first. */
  readonly whole: readonly Copy[];
  /** What a copy that was not finished left. */
  readonly partial: readonly { readonly id: BackupId; readonly objects: readonly StoredObject[] }[];
}

/** The folder of a tenant's copies: by its id, which no other tenant ever has, and with the closing `/`. */
export const prefixOf = ({ installation, tenantId }: CopiesOf): string => `${installation}/${tenantId}/`;

const keyOf = (whose: CopiesOf, id: BackupId, file: string): string => `${prefixOf(whose)}${id}/${file}`;

export const listCopies = async (bucket: Bucket, whose: CopiesOf, signal: AbortSignal): Promise<Copies> => {
  const prefix = prefixOf(whose);
  const objects = await bucket.list(prefix, signal);
  const byId = Map.groupBy(objects, ({ key }) => parseBackupId(key.slice(prefix.length).split("/")[0] ?? ""));
  const whole: Copy[] = [];
  const partial: { id: BackupId; objects: readonly StoredObject[] }[] = [];
  for (const [id, its] of byId) {
    if (id === undefined) continue; // no copy's
    if (its.some(({ key }) => key === keyOf(whose, id, manifestFile)))
      whole.push({ id, sizeBytes: its.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) });
    else partial.push({ id, objects: its });
  }
  whole.sort((one, other) => startOf(one.id).getTime() - startOf(other.id).getTime());
  return { whole, partial };
};

/**
 * Copies a backup from its agent into the bucket: each file is read back from there and compared with the signed
 * manifest, and then the manifest, which makes it count.
 *
 * @throws with what did not work; what is there by then does not count
 */
export const copyBackup = async (
  bucket: Bucket,
  whose: CopiesOf,
  { manifest, key, client }: { manifest: Manifest; key: DataKey; client: Pick<AgentClient, "file"> },
  signal: AbortSignal,
): Promise<void> => {
  for (const { file, sizeBytes, sha256 } of manifest.parts) {
    const object = keyOf(whose, manifest.id, file);
    await bucket.put(object, await client.file(manifest.id, file, signal), sizeBytes, signal);
    const found = await digestOf(bucket, object, signal);
    if (found.sizeBytes !== sizeBytes || found.sha256 !== sha256)
      throw new Error(
        `${object} came back from ${bucket.name} with ${found.sizeBytes} bytes and the checksum ${found.sha256}; the manifest says ${sizeBytes} and ${sha256}`,
      );
  }
  // Asked of the agent, not written from memory: nothing lands any more once its container was removed.
  const content = await text(await client.file(manifest.id, manifestFile, signal));
  const reading = manifestIn(content, manifest.id, key);
  if (!reading.ok) throw new Error(`backup ${manifest.id} is not copied: ${reading.reason}`);
  await bucket.put(keyOf(whose, manifest.id, manifestFile), content, Buffer.byteLength(content), signal);
  await readCopysManifest(bucket, whose, manifest.id, key, signal);
};

const digestOf = async (
  bucket: Bucket,
  object: string,
  signal: AbortSignal,
): Promise<{ sha256: string; sizeBytes: number }> => {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  for await (const chunk of await bucket.read(object, signal)) {
    hash.update(chunk as Buffer);
    sizeBytes += (chunk as Buffer).length;
  }
  return { sha256: hash.digest("hex"), sizeBytes };
};

/** The manifest of a copy. @throws where it is not what the holder of the key wrote */
export const readCopysManifest = async (
  bucket: Bucket,
  whose: CopiesOf,
  id: BackupId,
  key: DataKey,
  signal: AbortSignal,
): Promise<Manifest> => {
  const reading = manifestIn(await text(await bucket.read(keyOf(whose, id, manifestFile), signal)), id, key);
  if (!reading.ok) throw new Error(`the copy of ${id} in ${bucket.name} is damaged: ${reading.reason}`);
  return reading.manifest;
};

/** Gives the agent every file of a copy, the manifest last. What it then takes in it reads back first. */
export const bringBack = async (
  bucket: Bucket,
  whose: CopiesOf,
  { manifest, client }: { manifest: Manifest; client: Pick<AgentClient, "putFile"> },
  signal: AbortSignal,
): Promise<void> => {
  for (const file of [...manifest.parts.map((part) => part.file), manifestFile]) {
    const content = await bucket.read(keyOf(whose, manifest.id, file), signal);
    await client.putFile(manifest.id, file, content, signal);
  }
};

/** Removes a copy: its manifest first, so that a crash in between leaves nothing that counts. */
export const removeCopy = async (
  bucket: Bucket,
  whose: CopiesOf,
  id: BackupId,
  signal: AbortSignal,
): Promise<void> => {
  await bucket.remove(keyOf(whose, id, manifestFile), signal);
  for (const { key } of await bucket.list(`${prefixOf(whose)}${id}/`, signal))
    await bucket.remove(key, signal);
};

const dayMs = 24 * 3_600_000;

/** Removes what unfinished copies left of backups that are gone themselves, a day after they were begun. */
export const removePartialCopies = async (
  bucket: Bucket,
  { copies, there, now }: { copies: Copies; there: ReadonlySet<BackupId>; now: Date },
  signal: AbortSignal,
): Promise<void> => {
  for (const { id, objects } of copies.partial)
    if (!there.has(id) && objects.every(({ modifiedAt }) => now.getTime() - modifiedAt.getTime() > dayMs))
      for (const { key } of objects) await bucket.remove(key, signal);
};

/**
 * Removes up to `most` of a tenant's objects, and uploads that were not finished.
 *
 * @returns how many were removed; 0 when none is left
 */
export const removeSome = async (
  bucket: Bucket,
  whose: CopiesOf,
  most: number,
  signal: AbortSignal,
): Promise<number> => {
  const prefix = prefixOf(whose);
  const objects = await bucket.list(prefix, signal);
  // Manifests first: what is left after a crash counts no more.
  const ordered = objects.toSorted(
    (one, other) => Number(other.key.endsWith(manifestFile)) - Number(one.key.endsWith(manifestFile)),
  );
  for (const { key } of ordered.slice(0, most)) await bucket.remove(key, signal);
  return Math.min(most, objects.length) + (await bucket.endUploads(prefix, signal));
};
