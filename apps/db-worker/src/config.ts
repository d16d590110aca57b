import { port } from "@deeplens/service";
import { workerSettings } from "@deeplens/worker";
import { z } from "zod";

/** The environment of the database worker. */
export const settings = {
  ...workerSettings,
  /** Where tenants' databases live, as tenants reach it too. */
  TENANT_DB_HOST: z.string().min(1),
  TENANT_DB_PORT: port.default(5432),
  TENANT_DB_ADMIN_USER: z.string().min(1).default("postgres"),
  TENANT_DB_ADMIN_PASSWORD: z.string().min(1),
  /** Where tenants' keys live, as tenants reach it too. */
  REDIS_HOST: z.string().min(1),
  REDIS_PORT: port.default(6379),
  REDIS_ADMIN_USER: z.string().min(1).default("default"),
  REDIS_ADMIN_PASSWORD: z.string().min(1),
};
