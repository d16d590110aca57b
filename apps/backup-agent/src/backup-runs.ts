import { setTimeout as delay } from "node:timers/promises";
import {
  type BackupId,
  type BackupRun,
  backupIdOf,
  expiredBackups,
  type Manifest,
  readContents,
  readManifest,
  removeBackup,
} from "@deeplens/backup";
import type { Logger } from "@deeplens/telemetry";

/** Backups one at a time: what the schedule and a request start, and what has become of each. */
export interface BackupRuns {
  /** Starts one, or joins the one that runs. */
  start(trigger: Manifest["trigger"]): BackupRun;
  /** One of them, as far as it has come within `waitMs`; undefined for an id that no backup has. */
  see(id: BackupId, waitMs: number): Promise<BackupRun | undefined>;
  running(): BackupId | undefined;
  /** Resolves when none is under way any more. */
  settled(): Promise<void>;
}

export interface RunOptions {
  readonly folder: string;
  readonly retentionDays: number;
  readonly log: Logger;
  readonly now: () => Date;
  readonly random: () => Uint8Array;
  /** Takes the backup and leaves nothing when it fails. */
  readonly take: (id: BackupId, trigger: Manifest["trigger"]) => Promise<Manifest>;
}

const rememberedFailures = 50;

export const createBackupRuns = (options: RunOptions): BackupRuns => {
  const { folder, log, now } = options;
  const failures = new Map<BackupId, BackupRun>();
  let current: { readonly run: BackupRun; readonly end: Promise<void> } | undefined;

  const take = async (id: BackupId, trigger: Manifest["trigger"]): Promise<void> => {
    log.info({ backup: id, trigger }, "taking a backup");
    try {
      const manifest = await options.take(id, trigger);
      const sizeBytes = manifest.parts.reduce((sum, part) => sum + part.sizeBytes, 0);
      log.info({ backup: id, parts: manifest.parts.length, sizeBytes }, "the backup is good");
    } catch (error) {
      log.error({ backup: id, err: error }, "the backup failed; nothing of it was kept");
      failures.set(id, {
        state: "failed",
        id,
        failedAt: now().toISOString(),
        error: (error as Error).message.slice(0, 4_000),
      });
      for (const [oldest] of failures) if (failures.size > rememberedFailures) failures.delete(oldest);
      return;
    }
    // Only after a good one: old ones are never thrown away while new ones fail.
    await removeExpired(options).catch((error: unknown) =>
      log.error({ err: error }, "expired backups could not be removed"),
    );
  };

  const see = async (id: BackupId): Promise<BackupRun | undefined> => {
    if (current?.run.id === id) return current.run;
    const failure = failures.get(id);
    if (failure !== undefined) return failure;
    const reading = await readManifest(folder, id);
    return reading.ok ? { state: "done", id, manifest: reading.manifest } : undefined;
  };

  return {
    start: (trigger) => {
      if (current !== undefined) return current.run;
      const startedAt = now();
      const id = backupIdOf(startedAt, options.random());
      const end = take(id, trigger).finally(() => {
        current = undefined;
      });
      current = { run: { state: "running", id, startedAt: startedAt.toISOString() }, end };
      return current.run;
    },
    see: async (id, waitMs) => {
      if (current?.run.id === id && waitMs > 0) {
        const timer = new AbortController();
        await Promise.race([current.end, delay(waitMs, undefined, { signal: timer.signal, ref: false })]);
        timer.abort();
      }
      return see(id);
    },
    running: () => current?.run.id,
    settled: async () => {
      await current?.end;
    },
  };
};

const removeExpired = async ({ folder, retentionDays, now, log }: RunOptions): Promise<void> => {
  const { backups } = await readContents(folder);
  for (const id of expiredBackups(backups, now(), retentionDays)) {
    await removeBackup(folder, id);
    log.info({ backup: id, retentionDays }, "removed an expired backup");
  }
};
