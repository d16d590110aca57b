import { text } from "node:stream/consumers";
import type { StepContext } from "@deeplens/worker";
import { probePrefix } from "./bucket.ts";
import type { AdminAccess } from "./minio-admin/index.ts";
import { s3Client, s3Code } from "./s3.ts";

// One key for all tries: a probe that a crash left is overwritten and removed by the next.
const probeKey = `${probePrefix}provision`;

/**
 * Proves a tenant's own credentials: an object put, read back and deleted in its bucket, and another bucket refused.
 *
 * @throws where any of it fails; nothing is left in the bucket when it returns
 */
export const proveServiceAccount = async (
  context: StepContext,
  tenantAccess: AdminAccess,
  bucket: string,
): Promise<void> => {
  const body = `probe of ${bucket}`;
  await context.call("put a probe object", (signal) =>
    s3Client(tenantAccess, signal).putObject(bucket, probeKey, body),
  );
  const read = await context.call("read the probe object", async (signal) =>
    text(await s3Client(tenantAccess, signal).getObject(bucket, probeKey)),
  );
  if (read !== body) throw new Error(`bucket ${bucket} gave back another object than was put`);
  await context.call("delete the probe object", (signal) =>
    s3Client(tenantAccess, signal).removeObject(bucket, probeKey),
  );
  const code = await context.call("be refused another bucket", (signal) =>
    refusalOf(tenantAccess, neighbourOf(bucket), signal),
  );
  if (code !== "AccessDenied")
    throw new Error(
      `the service account of ${bucket} is not confined to it: another bucket answered ${code ?? "with a listing"}`,
    );
};

const refusals: readonly (string | undefined)[] = ["InvalidAccessKeyId", "AccessDenied"];

/**
 * Proves that credentials open a bucket no more.
 *
 * @throws where they still do
 */
export const proveRefused = async (
  context: StepContext,
  access: AdminAccess,
  bucket: string,
): Promise<void> => {
  const code = await context.call("be refused by MinIO", (signal) => refusalOf(access, bucket, signal));
  if (!refusals.includes(code))
    throw new Error(`MinIO answered ${code ?? "with a listing"} where ${access.accessKey} was to be refused`);
};

const refusalOf = async (
  access: AdminAccess,
  bucket: string,
  signal: AbortSignal,
): Promise<string | undefined> => {
  try {
    await s3Client(access, signal).listObjectsV2(bucket, "", false).toArray();
    return undefined;
  } catch (error) {
    const code = s3Code(error);
    if (code === undefined) throw error;
    return code;
  }
};

// Begins as ours does, so that a policy with a wildcard at its end would let it through.
const longestBucketName = 63;
const neighbourOf = (bucket: string): string => `${bucket.slice(0, longestBucketName - 2)}-x`;
