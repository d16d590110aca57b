import {
  type AgentSettings,
  type BackupId,
  type BackupListing,
  backupIdOf,
  type DataKey,
  expiredBackups,
  type Job,
  type JobResult,
  type JobRun,
  type Manifest,
  readContents,
  readManifest,
  removeBackup,
} from "@deeplens/backup";
import type { Logger } from "@deeplens/telemetry";
import { checkBackup } from "./check.ts";
import { drill, lastDrill } from "./drill.ts";
import { createJobs } from "./jobs.ts";
import { type Reading, restoreDatabase, switchVectors, tryVectors } from "./restore.ts";
import { isDue, nextAfter } from "./schedule.ts";
import { sweepUnfinished } from "./sweep.ts";
import { type Sources, takeBackup } from "./take-backup.ts";
import { takeIn } from "./take-in.ts";

/** What the agent does: the jobs that it is asked for, and what is due by itself. */
export interface Agent {
  start(id: string, job: Job): JobRun;
  see(id: string, waitMs: number): Promise<JobRun | undefined>;
  list(): Promise<BackupListing>;
  /** Begins what is due: a backup by the schedule, and a drill of the newest. To be called every minute or so. */
  doWhatIsDue(): Promise<void>;
  /** Resolves when no job is under way any more. */
  settled(): Promise<void>;
}

export interface AgentOptions {
  readonly settings: AgentSettings;
  readonly key: DataKey;
  readonly folder: string;
  readonly sources: Sources;
  readonly toolVersion: string;
  /** Where tools are found. */
  readonly path: string;
  readonly log: Logger;
  readonly now: () => Date;
  readonly random: () => Uint8Array;
  readonly signal: AbortSignal;
}

const dayMs = 24 * 60 * 60 * 1_000;
const retryMs = 6 * 60 * 60 * 1_000;

export const createAgent = (options: AgentOptions): Agent => {
  const { settings, key, folder, sources, log, now, signal } = options;
  const jobs = createJobs({ log, now });
  const failures: { backup?: Failure; drill?: Failure } = {};

  const backUp = async (trigger: Manifest["trigger"]): Promise<Manifest> => {
    await sweepUnfinished(folder, sources.vectors, log);
    const id = backupIdOf(now(), options.random());
    const { toolVersion } = options;
    const manifest = await takeBackup(
      { folder, id, settings, key, trigger, toolVersion, now, signal },
      sources,
    );
    const sizeBytes = manifest.parts.reduce((sum, part) => sum + part.sizeBytes, 0);
    log.info({ backup: id, trigger, parts: manifest.parts.length, sizeBytes }, "the backup is good");
    // Only after a good one: old ones are never thrown away while new ones fail. And only by the schedule: the backup
    // that a restore takes first must not cost the one that is to be restored.
    if (trigger === "schedule")
      await removeExpired(options).catch((error: unknown) =>
        log.error({ err: error }, "expired backups could not be removed"),
      );
    return manifest;
  };

  const readingOf = async (id: BackupId): Promise<Reading> => {
    const manifest = await readManifest(folder, id, key);
    if (!manifest.ok) throw new Error(`backup ${id}: ${manifest.reason}`);
    return { folder, manifest: manifest.manifest, key, signal };
  };
  const tryOut = async (wanted: BackupId | undefined) => {
    const id = wanted ?? (await readContents(folder, key)).backups.at(-1)?.id;
    if (id === undefined) throw new Error("there is no backup to try out yet");
    return drill(await readingOf(id), { vectors: sources.vectors, path: options.path, now });
  };

  const run = async (job: Job): Promise<JobResult> => {
    switch (job.kind) {
      case "backup":
        return { kind: "backup", manifest: await backUp("request") };
      case "take-in":
        return {
          kind: "backup",
          manifest: await takeIn(job.backup, settings.tenantId, {
            ...{ folder, key, signal },
            listDump: sources.database.listDump,
          }),
        };
      case "check": {
        const services = { listDump: sources.database.listDump, vectors: sources.vectors };
        const reading = { folder, key, signal };
        return {
          kind: "check",
          verification: await checkBackup(job.backup, settings.tenantId, reading, services, job.restorable),
        };
      }
      case "drill":
        return { kind: "drill", drill: await tryOut(job.backup) };
      case "restore-database": {
        const into = sources.database.beside(job.database);
        return { kind: "restored", compared: await restoreDatabase(await readingOf(job.backup), into) };
      }
      case "try-vectors":
        return {
          kind: "restored",
          compared: await tryVectors(await readingOf(job.backup), sources.vectors),
        };
      case "switch-vectors":
        return {
          kind: "restored",
          compared: await switchVectors(await readingOf(job.backup), sources.vectors),
        };
    }
  };

  /** Does a job of the agent's own, and remembers how it failed. */
  const byItself = (what: keyof typeof failures, work: () => Promise<JobResult>): void => {
    jobs.start(`${what}-${now().toISOString().replaceAll(":", "")}`, async () => {
      try {
        const result = await work();
        delete failures[what];
        return result;
      } catch (error) {
        failures[what] = { at: now(), error: (error as Error).message };
        throw error;
      }
    });
  };

  return {
    start: (id, job) => jobs.start(id, () => run(job)),
    see: jobs.see,
    settled: jobs.settled,
    list: async () => {
      const contents = await readContents(folder, key);
      const last = contents.backups.at(-1);
      const proven = await lastDrill(folder);
      const [failed] = Object.entries(failures).toSorted(
        ([, one], [, other]) => other.at.getTime() - one.at.getTime(),
      );
      return {
        tenantId: settings.tenantId,
        ...contents,
        jobs: jobs.open(),
        retentionDays: settings.retentionDays,
        nextAt: nextAfter(settings, last === undefined ? now() : new Date(last.startedAt)).toISOString(),
        ...(proven !== undefined && { lastDrill: proven }),
        ...(failed !== undefined && {
          lastFailure: {
            what: failed[0],
            at: failed[1].at.toISOString(),
            error: failed[1].error.slice(0, 2_000),
          },
        }),
      };
    },
    doWhatIsDue: async () => {
      if (jobs.open().length > 0) return;
      const { backups } = await readContents(folder, key);
      const last = backups.at(-1);
      // A tenant's very first backup is its worker's to ask for; after that no due one is left out.
      if (last === undefined) return;
      const startedAt = new Date(last.startedAt);
      if (isDue(settings, { startedAt, failedAt: failures.backup?.at }, now()))
        return byItself("backup", async () => ({ kind: "backup", manifest: await backUp("schedule") }));
      const proven = await lastDrill(folder);
      if (isDrillDue(settings, backups, proven?.finishedAt, failures.drill, now()))
        byItself("drill", async () => ({ kind: "drill", drill: await tryOut(undefined) }));
    },
  };
};

interface Failure {
  readonly at: Date;
  readonly error: string;
}

/** So many days after the last one; the first one so many days after the oldest backup. */
const isDrillDue = (
  { drillDays }: AgentSettings,
  backups: readonly Manifest[],
  proven: string | undefined,
  failed: Failure | undefined,
  now: Date,
): boolean => {
  const since = proven ?? backups[0]?.startedAt;
  if (since === undefined || now.getTime() - Date.parse(since) < drillDays * dayMs) return false;
  return failed === undefined || now.getTime() - failed.at.getTime() >= retryMs;
};

const removeExpired = async ({ folder, key, settings, now, log }: AgentOptions): Promise<void> => {
  const { retentionDays } = settings;
  const { backups } = await readContents(folder, key);
  for (const id of expiredBackups(backups, now(), retentionDays)) {
    await removeBackup(folder, id);
    log.info({ backup: id, retentionDays }, "removed an expired backup");
  }
};
