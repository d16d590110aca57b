import { z } from "zod";

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
  /** libpq's password file, with the database's one line. */
  pgpass: "pgpass",
  vectorsApiKey: "vectors-api-key",
} as const;

export const agentSettingsSchema = z.strictObject({
  installation: z.string().min(1),
  tenantId: z.uuid(),
  slug: z.string().min(1),
  database: z.strictObject({
    host: z.string().min(1),
    port: z.int().min(1).max(65_535),
    database: z.string().min(1),
    user: z.string().min(1),
  }),
  vectors: z.strictObject({ url: z.url() }),
  /** Cron's five fields, in `timeZone`. */
  schedule: z.string().min(1),
  timeZone: z.string().min(1),
  retentionDays: z.int().positive(),
});

export type AgentSettings = z.infer<typeof agentSettingsSchema>;
