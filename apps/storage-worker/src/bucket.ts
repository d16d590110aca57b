import { labelled, nothing, type Sight, unlabelled } from "@deeplens/worker";
import { type AdminAccess, send } from "./minio-admin/index.ts";
import { s3Client, s3Code } from "./s3.ts";

/** Where the proof of a step puts its objects; everything else in a bucket is a tenant's. */
export const probePrefix = ".deeplens-probe/";

/** The tags that say whose a bucket is. */
export const ownerTags = (owner: {
  tenantId: string;
  slug: string;
  installation: string;
}): Record<string, string> => ({
  [ownerTag]: owner.tenantId,
  "deeplens.installation": owner.installation,
  tenant: owner.slug,
});

const ownerTag = "deeplens.tenant-id";

/**
 * Looks at a bucket. Its tags name the owner; one that has other tags only is somebody else's, since ours get all of
 * their tags at once.
 */
export const lookAtBucket = async (
  root: AdminAccess,
  bucket: string,
  signal: AbortSignal,
): Promise<Sight> => {
  const client = s3Client(root, signal);
  // MinIO answers a question for the tags of a missing bucket as for one without tags.
  if (!(await client.bucketExists(bucket))) return nothing;
  try {
    const tags = await client.getBucketTagging(bucket);
    const owner = tags.find(({ Key }) => Key === ownerTag)?.Value;
    return labelled(owner === undefined ? "somebody without our tag" : String(owner));
  } catch (error) {
    if (s3Code(error) === "NoSuchTagSet") return unlabelled;
    if (s3Code(error) === "NoSuchBucket") return nothing;
    throw error;
  }
};

/** Makes a bucket: "taken" where one of that name is there already. */
export const makeBucket = async (
  root: AdminAccess,
  bucket: string,
  signal: AbortSignal,
): Promise<"made" | "taken"> => {
  try {
    await s3Client(root, signal).makeBucket(bucket);
    return "made";
  } catch (error) {
    const code = s3Code(error);
    if (code === "BucketAlreadyOwnedByYou" || code === "BucketAlreadyExists") return "taken";
    throw error;
  }
};

export const tagBucket = (
  root: AdminAccess,
  bucket: string,
  tags: Record<string, string>,
  signal: AbortSignal,
): Promise<void> => s3Client(root, signal).setBucketTagging(bucket, tags);

/** The first key, in any version, that no proof put there; undefined where there is none, or no bucket. */
export const firstForeignObject = async (
  root: AdminAccess,
  bucket: string,
  signal: AbortSignal,
): Promise<string | undefined> => {
  for await (const { name } of versionsOf(root, bucket, "", signal))
    if (!name.startsWith(probePrefix)) return name;
  return undefined;
};

/** How many bytes lie in a bucket, in all versions; counted until there are more than `most`. */
export const bytesUpTo = async (
  root: AdminAccess,
  bucket: string,
  most: number,
  signal: AbortSignal,
): Promise<number> => {
  let bytes = 0;
  for await (const { sizeBytes } of versionsOf(root, bucket, "", signal)) {
    bytes += sizeBytes;
    if (bytes > most) break;
  }
  return bytes;
};

/**
 * Removes a bucket that holds probe objects or nothing. MinIO itself refuses where an object came in since; versions
 * and delete markers of probes, which a bucket with versioning keeps, are removed by force. A missing one succeeds.
 *
 * @throws BucketNotEmptyError where it holds anything else: nothing but probe objects was removed
 */
export const removeBucket = async (root: AdminAccess, bucket: string, signal: AbortSignal): Promise<void> => {
  const client = s3Client(root, signal);
  for await (const { name, versionId } of versionsOf(root, bucket, probePrefix, signal))
    await client.removeObject(bucket, name, versionId === undefined ? {} : { versionId });
  try {
    await client.removeBucket(bucket);
  } catch (error) {
    if (s3Code(error) === "NoSuchBucket") return;
    if (s3Code(error) !== "BucketNotEmpty") throw error;
    const foreign = await firstForeignObject(root, bucket, signal);
    if (foreign !== undefined) throw new BucketNotEmptyError(bucket, foreign);
    await forceRemoveBucket(root, bucket, signal);
  }
};

/** Removes a bucket with everything in it. */
export const forceRemoveBucket = async (
  root: AdminAccess,
  bucket: string,
  signal: AbortSignal,
): Promise<void> => {
  const headers = { "x-minio-force-delete": "true" };
  await send(root, `forced removal of bucket ${bucket}`, signal, {
    method: "DELETE",
    path: `/${bucket}`,
    headers,
  });
};

export class BucketNotEmptyError extends Error {
  readonly bucket: string;
  readonly objectName: string;
  constructor(bucket: string, objectName: string) {
    super(`bucket ${bucket} holds ${objectName}`);
    this.name = "BucketNotEmptyError";
    this.bucket = bucket;
    this.objectName = objectName;
  }
}

interface Version {
  readonly name: string;
  readonly versionId: string | undefined;
  /** 0 for a mark that it was deleted. */
  readonly sizeBytes: number;
}

async function* versionsOf(
  root: AdminAccess,
  bucket: string,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<Version> {
  try {
    const listing = s3Client(root, signal).listObjects(bucket, prefix, true, { IncludeVersion: true });
    for await (const entry of listing) {
      const { name, versionId, size = 0 } = entry as { name: string; versionId?: string; size?: number };
      yield { name, versionId: versionId === "null" ? undefined : versionId, sizeBytes: Number(size) };
    }
  } catch (error) {
    if (s3Code(error) !== "NoSuchBucket") throw error;
  }
}
