import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { UnreadableError } from "./cipher.ts";
import type { DataKey } from "./data-key.ts";
import { filesOf } from "./folder.ts";
import { forgeryOf, type Manifest, type Part } from "./manifest.ts";
import { type PartFile, type PartReader, partName, readPart } from "./part-file.ts";
import { countCommands } from "./redis-stream.ts";

/** What is wrong with a backup: `code` for programs, `message` for people. */
export interface Problem {
  readonly code: ProblemCode;
  readonly message: string;
}

export type ProblemCode = (typeof problemCodes)[number];
export const problemCodes = [
  "unknown",
  "other-tenant",
  "wrong-key",
  "damaged",
  "cut-off",
  "template-newer",
  "engine-differs",
  "no-space",
] as const;

/** Reads a dump's table of contents (`pg_restore --list`); rejects with the tool's words when it can't. */
export type ListDump = (dump: AsyncIterable<Buffer>, signal: AbortSignal) => Promise<string>;

/** The file of a part that is to be read. */
export const fileOf = (path: string, manifest: Manifest, part: Part, key: DataKey): PartFile => ({
  path: join(path, part.file),
  key,
  name: partName(manifest.tenantId, manifest.id, part.file),
  compression: part.compression,
});

/**
 * Reads a backup back from the disk: the manifest's signature, each part's size, decryption and checksums, each dump's
 * table of contents (every table that was counted must have its data in it), and that no
 * file is there which the manifest does not name.
 *
 * @returns what is wrong; empty for a good backup
 */
export const readBack = async (
  path: string,
  manifest: Manifest,
  key: DataKey,
  listDump: ListDump,
  signal: AbortSignal,
): Promise<readonly Problem[]> => {
  const forgery = forgeryOf(manifest, key);
  if (forgery !== undefined) return [forgery];
  const problems: Problem[] = [];
  for (const part of manifest.parts)
    problems.push(...(await problemsOf(path, manifest, part, key, listDump, signal)));
  const named = filesOf(manifest);
  for (const name of await readdir(path))
    if (!named.has(name))
      problems.push({ code: "damaged", message: `${name}: is not named by the manifest` });
  return problems;
};

const problemsOf = async (
  path: string,
  manifest: Manifest,
  part: Part,
  key: DataKey,
  listDump: ListDump,
  signal: AbortSignal,
): Promise<Problem[]> => {
  const problem = (code: ProblemCode, message: string): Problem => ({
    code,
    message: `${part.file}: ${message}`,
  });
  try {
    const file = fileOf(path, manifest, part, key);
    const { size } = await stat(file.path);
    if (size !== part.sizeBytes)
      return [
        problem(
          size < part.sizeBytes ? "cut-off" : "damaged",
          `has ${size} bytes, and the manifest says ${part.sizeBytes}`,
        ),
      ];
    const found: Problem[] = [];
    // A vectors' snapshot is told apart from another by its checksum alone: what restores it is Qdrant.
    const read: PartReader = async (plain) => {
      if (part.part === "redis") {
        const keys = await countCommands(plain);
        if (keys !== part.keys)
          found.push(problem("damaged", `holds ${keys} keys, and the manifest says ${part.keys}`));
      }
      if (part.part !== "database") return;
      const missing = missingTables(await listDump(plain, signal), part.tables);
      found.push(...missing.map((table) => problem("damaged", `has no data of ${table}`)));
    };
    const digest = await readPart(file, read, signal);
    if (digest.sha256 !== part.sha256 || digest.plainSha256 !== part.plainSha256)
      return [problem("damaged", "its checksum is not the manifest's (the file was damaged or changed)")];
    return found;
  } catch (error) {
    signal.throwIfAborted();
    const code = error instanceof UnreadableError ? error.code : "damaged";
    return [problem(code, (error as Error).message)];
  }
};

/** The tables whose data a dump's table of contents (the text of `pg_restore --list`) does not have. */
export const missingTables = (
  listing: string,
  tables: readonly { readonly schema: string; readonly table: string }[],
): readonly string[] => {
  // A line: `3382; 0 16394 TABLE DATA public images tenant_acme_owner`. Names may hold blanks, so whole texts are sought.
  const lines = listing.split("\n").filter((line) => line.includes(" TABLE DATA "));
  return tables
    .filter(({ schema, table }) => !lines.some((line) => line.includes(` TABLE DATA ${schema} ${table} `)))
    .map(({ schema, table }) => `${schema}.${table}`);
};
