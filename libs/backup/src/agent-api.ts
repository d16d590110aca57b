import { z } from "zod";
import { backupIdSchema as backupId, manifestSchema } from "./manifest.ts";
import { problemCodes } from "./read-back.ts";

// What the agent answers under /v1, with `Authorization: Bearer <token>`:
//   GET /v1/backups              what is in the volume -> BackupListing
//   PUT /v1/jobs/:id?waitMs=     does a job; the same id joins it while it runs, and is answered when it is done;
//                                one that failed is done again -> JobRun
//   GET /v1/backups/:id/files/:file   a file of a backup as it lies there, encrypted
//   PUT /v1/backups/:id/files/:file   takes one of a backup that is brought back; it counts when the job `take-in` has read
//                                all of it back
//   GET /v1/jobs/:id?waitMs=     what has become of it -> JobRun
// Jobs run one after the other. `waitMs` waits that long for a job's end, 30 s at most. What has become of a job is known
// until the agent's end; whoever asks again then has it done again.

export const longestWaitMs = 30_000;
export const jobIdPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

export const jobSchema = z.discriminatedUnion("kind", [
  /** Takes a backup and reads it back. */
  z.strictObject({ kind: z.literal("backup") }),
  /** Reads one back whose files were brought back, and takes it in; done again it is done once. */
  z.strictObject({ kind: z.literal("take-in"), backup: backupId }),
  /** Reads one back, and says whether it can be restored here (with that version of the template). */
  z.strictObject({ kind: z.literal("check"), backup: backupId, restorable: restorable().optional() }),
  /** Restores one (the newest) into a throw-away server and throw-away collections, and compares. */
  z.strictObject({ kind: z.literal("drill"), backup: backupId.optional() }),
  /** Restores one's database into an empty one beside the live one, and compares. */
  z.strictObject({ kind: z.literal("restore-database"), backup: backupId, database: z.string().min(1) }),
  /** Restores one's vectors into collections beside the live ones, compares, and removes them. */
  z.strictObject({ kind: z.literal("try-vectors"), backup: backupId }),
  /** Makes the live collections what one holds. */
  z.strictObject({ kind: z.literal("switch-vectors"), backup: backupId }),
]);

function restorable() {
  return z.strictObject({
    parts: z.enum(["all", "database", "vectors"]),
    templateVersion: z.string(),
  });
}

export type Job = z.infer<typeof jobSchema>;

export const problemSchema = z.object({ code: z.enum(problemCodes), message: z.string() });

export const verificationSchema = z.object({
  manifest: manifestSchema.optional(),
  /** What is wrong; empty for a good backup. */
  problems: z.array(problemSchema).readonly(),
});

export type Verification = z.infer<typeof verificationSchema>;

/** What a restore compared and found equal. */
export const comparedSchema = z.object({
  tables: z.int().nonnegative(),
  rows: z.int().nonnegative(),
  collections: z.int().nonnegative(),
  points: z.int().nonnegative(),
});

export type Compared = z.infer<typeof comparedSchema>;

export const drillSchema = z.object({
  backup: backupId,
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  compared: comparedSchema,
});

/** A restore of a backup that was tried out and compared equal. */
export type Drill = z.infer<typeof drillSchema>;

export const jobResultSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("backup"), manifest: manifestSchema }),
  z.object({ kind: z.literal("check"), verification: verificationSchema }),
  z.object({ kind: z.literal("drill"), drill: drillSchema }),
  z.object({ kind: z.literal("restored"), compared: comparedSchema }),
]);

export type JobResult = z.infer<typeof jobResultSchema>;

const times = { id: z.string().regex(jobIdPattern), startedAt: z.iso.datetime() };

export const jobRunSchema = z.discriminatedUnion("state", [
  z.object({ state: z.literal("running"), ...times }),
  z.object({ state: z.literal("done"), ...times, finishedAt: z.iso.datetime(), result: jobResultSchema }),
  z.object({ state: z.literal("failed"), ...times, finishedAt: z.iso.datetime(), error: z.string() }),
]);

/** One job, as far as it has come. */
export type JobRun = z.infer<typeof jobRunSchema>;

/** Contents of the volume (folder.ts) as JSON. */
export const contentsSchema = z.object({
  backups: z.array(manifestSchema).readonly(),
  damaged: z.array(z.object({ id: backupId, reason: z.string() })).readonly(),
  unknown: z.array(z.string()).readonly(),
});

export const backupListingSchema = contentsSchema.extend({
  tenantId: z.uuid(),
  /** Ids of the jobs that run or wait. */
  jobs: z.array(z.string()).readonly(),
  nextAt: z.iso.datetime().optional(),
  /** For how long it keeps a backup; an agent of an earlier image does not say. */
  retentionDays: z.int().positive().optional(),
  /** The last restore that was tried out and proven. */
  lastDrill: drillSchema.optional(),
  /** Why the last scheduled backup or drill failed, where it did. */
  lastFailure: z.object({ what: z.string(), at: z.iso.datetime(), error: z.string() }).optional(),
});

export type BackupListing = z.infer<typeof backupListingSchema>;
