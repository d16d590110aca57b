import { workerSettings } from "@deeplens/worker";
import { z } from "zod";

const isOrigin = (text: string): boolean => {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && `${url.pathname}${url.search}` === "/";
};

/** The environment of the storage worker: what every worker reads, MinIO's address and root credentials, and what of tenants' own storage. */
export const storageSettings = {
  ...workerSettings,
  MINIO_ENDPOINT: z
    .string()
    .refine(isOrigin, "must be an http or https origin without a path: http://minio:9000")
    .transform((text) => new URL(text).origin),
  MINIO_ROOT_USER: z.string().min(3),
  MINIO_ROOT_PASSWORD: z.string().min(8),
  // Whether a tenant's own storage may be at an address without TLS: on a laptop, not where anybody listens.
  BYOS_PLAIN_HTTP: z.enum(["allow", "refuse"]).default("refuse"),
};
