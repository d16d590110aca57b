import { readConfig } from "@deeplens/service";
import { z } from "zod";
import { controlBackupSettings } from "./config.ts";
import { listControlBackups, takeControlBackup } from "./control-backups.ts";
import { openControlBackups } from "./open.ts";
import { restoreControlBackup } from "./restore-control-backup.ts";

// `node src/control/restore.ts`: lists the backups of the control database, takes one now, or restores one.

const usage = `What to do:
  list                     the backups, oldest first
  now                      takes one
  <backup> [--replace]     restores it into the control database; --replace: which is not empty`;

const { PATH, ...config } = readConfig({
  ...controlBackupSettings,
  PATH: z.string().default("/usr/local/bin:/usr/bin:/bin"),
});
const [what, flag] = process.argv.slice(2);
const backups = openControlBackups(config, PATH);
const { signal } = new AbortController();
const say = (line: string): void => void process.stdout.write(`${line}\n`);

try {
  if (what === "list") {
    for (const { id, finishedAt, parts, key } of await listControlBackups(backups.folder))
      say(`${id}  ${finishedAt}  ${parts[0]?.sizeBytes} bytes  master key ${key.wrapped.keyVersion}`);
  } else if (what === "now") {
    say(`Taken and read back: ${(await takeControlBackup(backups, "request", signal)).id}`);
  } else if (what === undefined || (flag !== undefined && flag !== "--replace")) {
    process.stderr.write(`${usage}\n`);
    process.exitCode = 2;
  } else {
    const { tables, rows, safety } = await restoreControlBackup(
      backups,
      { id: what, replace: flag === "--replace" },
      { signal, say },
    );
    say(`Restored: ${tables} tables, ${rows} rows, compared with what was backed up.`);
    if (safety !== undefined) say(`What was there before is the backup ${safety}.`);
  }
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
