import { z } from "zod";
import { type BackupId, parseBackupId } from "./backup-id.ts";
import { type DataKey, keyIdOf, manifestMac, sameMac } from "./data-key.ts";

/** Raised when an older reader could not understand a new manifest. */
export const manifestVersion = 2;

// No separator and no leading dot: a file's name can lead nowhere but into its own backup's folder.
const fileName = /^[a-z0-9][a-z0-9._-]{0,120}$/;
const partFile = z.string().regex(fileName, "is no name of a part's file");
/** True for what a file of a backup may be called: such a name leads nowhere but into its own backup's folder. */
export const isFileName = (text: string): boolean => fileName.test(text);
const moment = z.iso.datetime();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const file = {
  file: partFile,
  /** Of the file as it lies there. */
  sha256,
  sizeBytes: z.int().positive(),
  compression: z.enum(["none", "zstd"]),
  /** Of the part as it was before. */
  plainSha256: sha256,
  plainBytes: z.int().nonnegative(),
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

const table = z.strictObject({
  schema: z.string().min(1),
  table: z.string().min(1),
  rows: z.int().nonnegative(),
  /** Sum of a hash of each row, whatever their order. */
  checksum: z.string().min(1),
});

const databasePart = z.strictObject({
  part: z.literal("database"),
  ...file,
  database: z.string().min(1),
  /** What it takes on the server. */
  databaseBytes: z.int().nonnegative(),
  /** Newest migration of the tenant's template that was run in it; "" where there is none. */
  templateVersion: z.string(),
  /** Exact, read in the dump's own snapshot. */
  tables: z.array(table),
});

const vectorsPart = z.strictObject({
  part: z.literal("vectors"),
  ...file,
  collection: z.string().min(1),
  /** Exact counts just before and just after the snapshot was made: what it holds lies between them. */
  points: z.int().nonnegative(),
  pointsAfter: z.int().nonnegative(),
  /** Names that pointed to the collection: its snapshot does not hold them. */
  aliases: z.array(z.string()),
});

const redisPart = z.strictObject({
  part: z.literal("redis"),
  ...file,
  prefix: z.string().min(1),
  keys: z.int().nonnegative(),
});

const topicPart = z.strictObject({ part: z.literal("topic"), ...file, topic: z.string().min(1) });

const wrappedKey = z.strictObject({
  keyVersion: z.string().min(1),
  nonce: z.base64(),
  ciphertext: z.base64(),
});

/** A tenant's data key as the master key wraps it: with the master key a backup opens without the control database. */
export type WrappedKey = z.infer<typeof wrappedKey>;
export const wrappedKeySchema = wrappedKey;

const unsigned = {
  formatVersion: z.literal(manifestVersion),
  id: backupIdSchema,
  tenantId: z.uuid(),
  slug: z.string().min(1),
  trigger: z.enum(["schedule", "request"]),
  startedAt: moment,
  finishedAt: moment,
  /** Time between the moments of the first and the last part. */
  skewMs: z.int().nonnegative(),
  key: z.strictObject({ id: z.string().regex(/^[0-9a-f]{16}$/), wrapped: wrappedKey }),
  parts: z.array(z.discriminatedUnion("part", [databasePart, vectorsPart, redisPart, topicPart])).min(1),
};

export const manifestSchema = z
  .strictObject({
    ...unsigned,
    /** HMAC of all of the above, by a key that follows from the tenant's. */
    mac: sha256,
  })
  .refine(({ parts }) => new Set(parts.map((part) => part.file)).size === parts.length, {
    message: "two parts name the same file",
  });

export type TableCount = z.infer<typeof table>;
export type DatabasePart = z.infer<typeof databasePart>;
export type VectorsPart = z.infer<typeof vectorsPart>;
export type RedisPart = z.infer<typeof redisPart>;
export type TopicPart = z.infer<typeof topicPart>;
export type Part = DatabasePart | VectorsPart | RedisPart | TopicPart;

/** What a backup is: whose, of when, and for each part its file with checksum, size, versions and counts. */
export type Manifest = z.infer<typeof manifestSchema>;
type Unsigned = Omit<Manifest, "mac" | "key" | "skewMs" | "formatVersion">;

/** The manifest of a backup that was taken, with what follows from the rest. */
export const signedManifest = (content: Unsigned, key: DataKey, wrapped: WrappedKey): Manifest => {
  const moments = content.parts.map(({ takenAt }) => Date.parse(takenAt));
  const manifest = z.strictObject(unsigned).parse({
    ...content,
    formatVersion: manifestVersion,
    skewMs: Math.max(...moments) - Math.min(...moments),
    key: { id: keyIdOf(key), wrapped },
  });
  return { ...manifest, mac: manifestMac(key, JSON.stringify(manifest)) };
};

/** Why a manifest is not what the holder of that key wrote; undefined when it is. */
export const forgeryOf = (
  manifest: Manifest,
  key: DataKey,
): { readonly code: "wrong-key" | "damaged"; readonly message: string } | undefined => {
  const own = keyIdOf(key);
  if (manifest.key.id !== own)
    return {
      code: "wrong-key",
      message: `manifest.json: is of the key ${manifest.key.id}, and the tenant's is ${own}`,
    };
  // In the order of the schema, whatever order its fields have in the file.
  const { mac, ...content } = manifest;
  const signed = JSON.stringify(z.strictObject(unsigned).parse(content));
  return sameMac(mac, manifestMac(key, signed))
    ? undefined
    : {
        code: "damaged",
        message: "manifest.json: was changed since it was written (its signature is wrong)",
      };
};

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
