import { z } from "zod";
import { type AdminAccess, callAdmin } from "./client.ts";

/** Limits a bucket to so many bytes, hard. */
export const setBucketQuota = async (
  access: AdminAccess,
  bucket: string,
  bytes: number,
  signal: AbortSignal,
): Promise<void> => {
  const body = { json: { quota: bytes, size: bytes, quotatype: "hard" }, encrypted: false };
  await callAdmin(access, { method: "PUT", name: "set-bucket-quota", query: { bucket }, body }, signal);
};

const quotaReply = z.object({ quota: z.number(), quotatype: z.string().optional() });

/** A bucket's limit in bytes; 0 for none. */
export const bucketQuota = async (
  access: AdminAccess,
  bucket: string,
  signal: AbortSignal,
): Promise<number> => {
  const reply = await callAdmin(
    access,
    { method: "GET", name: "get-bucket-quota", query: { bucket } },
    signal,
  );
  return quotaReply.parse(JSON.parse(reply.toString("utf8"))).quota;
};
