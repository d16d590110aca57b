import { z } from "zod";
import { backupIdSchema as backupId, manifestSchema } from "./manifest.ts";

// What the agent answers under /v1, with `Authorization: Bearer <token>`:
//   POST /v1/backups?waitMs=          take one now (or join the one that runs) -> BackupRun
//   GET  /v1/backups                  what is in the volume -> BackupListing
//   GET  /v1/backups/:id?waitMs=      one of them -> BackupRun
//   GET  /v1/backups/:id/verification read it back from the disk -> Verification
// `waitMs` waits that long for a running one to end, 30 s at most.

export const longestWaitMs = 30_000;

export const backupRunSchema = z.discriminatedUnion("state", [
  z.object({ state: z.literal("running"), id: backupId, startedAt: z.iso.datetime() }),
  z.object({ state: z.literal("done"), id: backupId, manifest: manifestSchema }),
  z.object({ state: z.literal("failed"), id: backupId, failedAt: z.iso.datetime(), error: z.string() }),
]);

/** One backup, as far as it has come. */
export type BackupRun = z.infer<typeof backupRunSchema>;

/** Contents of the volume (folder.ts) as JSON. */
export const contentsSchema = z.object({
  backups: z.array(manifestSchema).readonly(),
  damaged: z.array(z.object({ id: backupId, reason: z.string() })).readonly(),
  unknown: z.array(z.string()).readonly(),
});

export const backupListingSchema = contentsSchema.extend({
  tenantId: z.uuid(),
  running: backupId.optional(),
  nextAt: z.iso.datetime().optional(),
});

export type BackupListing = z.infer<typeof backupListingSchema>;

export const verificationSchema = z.object({
  id: backupId,
  manifest: manifestSchema.optional(),
  /** What is wrong, in words; empty for a good backup. */
  problems: z.array(z.string()).readonly(),
});

export type Verification = z.infer<typeof verificationSchema>;
