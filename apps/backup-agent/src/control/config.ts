import { agentBackupsFolder } from "@deeplens/backup";
import { controlDatabaseSettings, positive, processSettings } from "@deeplens/service";
import { z } from "zod";

/** What the process that backs the control database up is told. */
export const controlBackupSettings = {
  DEEPLENS_INSTALLATION: processSettings.DEEPLENS_INSTALLATION,
  LOG_LEVEL: processSettings.LOG_LEVEL,
  ...controlDatabaseSettings,
  DEEPLENS_MASTER_KEY: z.string().min(1),
  DEEPLENS_MASTER_KEY_FILE: z.string().optional(),
  CONTROL_BACKUP_FOLDER: z.string().default(agentBackupsFolder),
  CONTROL_BACKUP_SCHEDULE: z.string().default("30 1 * * *"),
  CONTROL_BACKUP_RETENTION_DAYS: positive.default(30),
  BACKUP_TIME_ZONE: z.string().default("UTC"),
};

export type ControlBackupConfig = z.infer<z.ZodObject<typeof controlBackupSettings>>;
