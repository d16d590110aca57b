import { workerSettings } from "@deeplens/worker";
import { z } from "zod";

/** The environment of the storage worker: what every worker reads, and MinIO's address and root credentials. */
export const storageSettings = {
  ...workerSettings,
  MINIO_ENDPOINT: z
    .url({ protocol: /^https?$/, error: "must be an http or https URL" })
    .refine((text) => new URL(text).pathname === "/", "must be an origin without a path: http://minio:9000")
    .transform((text) => new URL(text).origin),
  MINIO_ROOT_USER: z.string().min(3),
  MINIO_ROOT_PASSWORD: z.string().min(8),
};
