import { z } from "zod";
import { type AdminAccess, callAdmin } from "./client.ts";

const usageReply = z.object({
  bucketsUsageInfo: z
    .record(z.string(), z.object({ size: z.number(), objectsCount: z.number() }))
    .nullish()
    .transform((buckets) => buckets ?? {}),
});

export interface BucketUsage {
  readonly sizeBytes: number;
  readonly objects: number;
}

/** What MinIO's scanner counted in each bucket on its last walk, minutes ago; a new bucket is not in it yet. */
export const usageByBucket = async (
  access: AdminAccess,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, BucketUsage>> => {
  const reply = await callAdmin(access, { method: "GET", name: "datausageinfo" }, signal);
  const { bucketsUsageInfo } = usageReply.parse(JSON.parse(reply.toString("utf8")));
  return new Map(
    Object.entries(bucketsUsageInfo).map(([bucket, { size, objectsCount }]) => [
      bucket,
      { sizeBytes: size, objects: objectsCount },
    ]),
  );
};
