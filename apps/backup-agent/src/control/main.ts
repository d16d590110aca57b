import { pause, readConfig, runProcess, waitFor } from "@deeplens/service";
import { createLogger } from "@deeplens/telemetry";
import { z } from "zod";
import { checkSchedule, isDue } from "../schedule.ts";
import { controlBackupSettings } from "./config.ts";
import { listControlBackups, ownerOf, removeExpired, takeControlBackup } from "./control-backups.ts";
import { openControlBackups } from "./open.ts";

// Backs the control database up every night, and at once where no backup is there yet, or a night was slept through.

const { PATH, ...config } = readConfig({
  ...controlBackupSettings,
  PATH: z.string().default("/usr/local/bin:/usr/bin:/bin"),
});
const log = createLogger("control-backup", config.LOG_LEVEL);
const lookMs = 60_000;

await runProcess(log, async (signal) => {
  const backups = openControlBackups(config, PATH);
  const timetable = {
    schedule: config.CONTROL_BACKUP_SCHEDULE,
    timeZone: config.BACKUP_TIME_ZONE,
    spreadMs: 0,
    tenantId: ownerOf(config.DEEPLENS_INSTALLATION),
  };
  checkSchedule(timetable);
  await waitFor("the control database", () => backups.database.check(), { log, signal });
  let failedAt: Date | undefined;
  while (!signal.aborted) {
    const newest = (await listControlBackups(backups.folder)).at(-1);
    const startedAt = new Date(newest?.startedAt ?? 0);
    if (isDue(timetable, { startedAt, failedAt }, new Date()))
      try {
        const { id, parts } = await takeControlBackup(backups, "schedule", signal);
        failedAt = undefined;
        log.info({ backup: id, sizeBytes: parts[0]?.sizeBytes }, "the control database's backup is good");
        // Only here: the backup that a restore takes first must not cost the one that is to be restored.
        await removeExpired(backups).catch((error: unknown) =>
          log.error({ err: error }, "expired backups could not be removed"),
        );
      } catch (error) {
        if (signal.aborted) break;
        failedAt = new Date();
        log.error(
          { err: error },
          "the control database was not backed up; trying again in a quarter of an hour",
        );
      }
    await pause(lookMs, signal);
  }
});
