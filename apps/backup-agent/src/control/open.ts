import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pgpassText } from "@deeplens/backup";
import { masterKeyOf } from "@deeplens/secrets";
import { postgresDatabase } from "../database.ts";
import type { ControlBackupConfig } from "./config.ts";
import type { ControlBackups } from "./control-backups.ts";

/**
 * The control database and the folder of its backups, by the configuration. libpq's tools take the password from a file
 * that only this process can read, and that is gone with it.
 *
 * @param path where tools are found
 */
export const openControlBackups = (config: ControlBackupConfig, path: string): ControlBackups => {
  const server = {
    host: config.CONTROL_DB_HOST,
    port: config.CONTROL_DB_PORT,
    database: config.CONTROL_DB_NAME,
    user: config.CONTROL_DB_USER,
  };
  const folder = mkdtempSync(join(tmpdir(), "pgpass-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const pgpass = join(folder, "pgpass");
  // Any database: what is restored may bear another name.
  const entry = { ...server, database: "*", password: config.CONTROL_DB_PASSWORD };
  writeFileSync(pgpass, pgpassText(entry), { mode: 0o600 });
  return {
    installation: config.DEEPLENS_INSTALLATION,
    folder: config.CONTROL_BACKUP_FOLDER,
    masterKey: masterKeyOf(config),
    database: postgresDatabase(server, { pgpass, path }),
    retentionDays: config.CONTROL_BACKUP_RETENTION_DAYS,
    now: () => new Date(),
  };
};
