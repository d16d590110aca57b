import { z } from "zod";
import { wrappedKeySchema } from "./manifest.ts";

// What the one who makes a tenant's backup container and the agent inside must both know.

/** The agent's port on the installation's network. */
export const agentPort = 8090;
/** The user of the agent's image, who owns its files and its volume. */
export const agentUser = { uid: 10_001, gid: 10_001 } as const;
/** Where the volume with the backups is mounted. */
export const agentBackupsFolder = "/backups";
/** Where the files lie that are put into the container before its first start. */
export const agentFilesFolder = "/run/deeplens";

export const agentFiles = {
  /** AgentSettings as JSON: names and addresses, no secret. */
  settings: "agent.json",
  /** The bearer token that the agent asks for. */
  token: "token",
  /** The tenant's data key (data-key.ts). */
  dataKey: "data-key",
  /** libpq's password file, with one line. */
  pgpass: "pgpass",
  vectorsApiKey: "vectors-api-key",
  redisPassword: "redis-password",
} as const;

const port = z.int().min(1).max(65_535);
const word = z.string().min(1);

export const agentSettingsSchema = z.strictObject({
  installation: word,
  tenantId: z.uuid(),
  slug: word,
  /** The tenant's data key as the master key wraps it: it goes into each manifest. */
  wrappedKey: wrappedKeySchema,
  database: z.strictObject({ host: word, port, database: word, user: word }),
  vectors: z.strictObject({ url: z.url() }),
  redis: z.strictObject({ host: word, port, user: word, prefix: word }),
  /** The tenant's topic as Kafka told at `asOf`: the agent has no rights there. */
  topic: z.strictObject({
    name: word,
    asOf: z.iso.datetime(),
    partitions: z.int().nonnegative(),
    config: z.record(z.string(), z.string()),
  }),
  /** Cron's five fields, in `timeZone`. */
  schedule: word,
  timeZone: word,
  /** Its backups are begun up to so much later: a moment of the tenant's own, so that not all tenants start at once. */
  spreadMs: z.int().nonnegative(),
  /** Every so many days the newest backup is restored for a trial. */
  drillDays: z.int().positive(),
  retentionDays: z.int().positive(),
});

export type AgentSettings = z.infer<typeof agentSettingsSchema>;
