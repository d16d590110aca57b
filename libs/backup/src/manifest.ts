import { z } from "zod";
import { type BackupId, parseBackupId } from "./backup-id.ts";

/** Raised when an older reader could not understand a new manifest. */
export const manifestVersion = 1;

// No separator and no leading dot: a file's name can lead nowhere but into its own backup's folder.
const partFile = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,120}$/, "is no name of a part's file");
const moment = z.iso.datetime();

const file = {
  file: partFile,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  sizeBytes: z.int().positive(),
  /** The moment whose state the part holds. */
  takenAt: moment,
  /** Version of the service that was read; a snapshot of vectors restores into the same or the next minor one only. */
  serverVersion: z.string().min(1),
  /** What took it. */
  toolVersion: z.string().min(1),
};

export const backupIdSchema = z.string().transform((text, context): BackupId => {
  const id = parseBackupId(text);
  if (id !== undefined) return id;
  context.addIssue({ code: "custom", message: "is no backup's id" });
  return z.NEVER;
});

const databasePart = z.strictObject({
  part: z.literal("database"),
  ...file,
  database: z.string().min(1),
  /** Exact counts, taken in the dump's own snapshot. */
  tables: z.array(
    z.strictObject({ schema: z.string().min(1), table: z.string().min(1), rows: z.int().nonnegative() }),
  ),
});

const vectorsPart = z.strictObject({
  part: z.literal("vectors"),
  ...file,
  collection: z.string().min(1),
  /** Exact count, taken just before the snapshot: writes in between make the snapshot hold more or fewer. */
  points: z.int().nonnegative(),
  /** Names that pointed to the collection: its snapshot does not hold them. */
  aliases: z.array(z.string()),
});

export const manifestSchema = z
  .strictObject({
    formatVersion: z.literal(manifestVersion),
    id: backupIdSchema,
    tenantId: z.uuid(),
    slug: z.string().min(1),
    trigger: z.enum(["schedule", "request"]),
    startedAt: moment,
    finishedAt: moment,
    parts: z.array(z.discriminatedUnion("part", [databasePart, vectorsPart])).min(1),
  })
  .refine(({ parts }) => new Set(parts.map((part) => part.file)).size === parts.length, {
    message: "two parts name the same file",
  });

export type DatabasePart = z.infer<typeof databasePart>;
export type VectorsPart = z.infer<typeof vectorsPart>;
export type Part = DatabasePart | VectorsPart;

/** What a backup is: whose, of when, and for each part its file with checksum, size, versions and counts. */
export type Manifest = z.infer<typeof manifestSchema>;

export type ManifestResult =
  | { readonly ok: true; readonly manifest: Manifest }
  | { readonly ok: false; readonly reason: string };

/** Parses the text of a manifest.json; `reason` says which field breaks which rule. */
export const parseManifest = (text: string): ManifestResult => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, reason: `is no JSON (${(error as Error).message})` };
  }
  const parsed = manifestSchema.safeParse(value);
  if (parsed.success) return { ok: true, manifest: parsed.data };
  return {
    ok: false,
    reason: parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`).join("; "),
  };
};

/** The text that manifest.json holds. */
export const manifestText = (manifest: Manifest): string => `${JSON.stringify(manifest, undefined, 2)}\n`;
