import { z } from "zod";

/** Pieces of configuration that processes share; spread them into a shape for readConfig. */

export const port = z.coerce.number().int().min(0).max(65_535);
export const positive = z.coerce.number().int().positive();

export const processSettings = {
  DEEPLENS_INSTALLATION: z
    .string()
    // With it and the longest slug, `<installation>-qdrant-<slug>` is still a host name: 63 characters.
    .regex(
      /^[a-z][a-z0-9-]{0,13}[a-z0-9]$/,
      "must be 2 to 15 lower-case letters, digits and -, start with a letter and not end with -",
    )
    .default("deeplens"),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]).default("info"),
  HEALTH_HOST: z.string().default("127.0.0.1"),
  HEALTH_PORT: port.default(8080),
};

/**
 * No call of a worker that has an effect takes longer, in ms; its handler has as long again to settle. The orchestrator
 * holds the settle time against it, so every process of the fleet has the same.
 */
export const longestCallMs = 30_000;
export const callSettings = { LONGEST_CALL_MS: positive.default(longestCallMs) };

export const kafkaSettings = {
  KAFKA_BROKERS: z
    .string()
    .min(1)
    .transform((text) => text.split(",").map((broker) => broker.trim())),
  KAFKA_USERNAME: z.string().min(1),
  KAFKA_PASSWORD: z.string().min(1),
  SCHEMA_REGISTRY_URL: z.url(),
};

export const controlDatabaseSettings = {
  CONTROL_DB_HOST: z.string().min(1),
  CONTROL_DB_PORT: port.default(5432),
  CONTROL_DB_NAME: z.string().min(1).default("deeplens_control"),
  CONTROL_DB_USER: z.string().min(1).default("deeplens_control"),
  CONTROL_DB_PASSWORD: z.string().min(1),
};
