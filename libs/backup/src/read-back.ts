import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { filesOf } from "./folder.ts";
import type { Manifest, Part } from "./manifest.ts";
import { digestOf } from "./part-file.ts";

/** Reads a dump's table of contents (`pg_restore --list`); rejects with the tool's words when it can't. */
export type ListDump = (path: string, signal: AbortSignal) => Promise<string>;

/**
 * Reads a backup back from the disk: each part's size and checksum, each dump's table of contents (every table that
 * was counted must have its data in it), and that no file is there which the manifest does not name.
 *
 * @returns what is wrong, in words; empty for a good backup
 */
export const readBack = async (
  path: string,
  manifest: Manifest,
  listDump: ListDump,
  signal: AbortSignal,
): Promise<readonly string[]> => {
  const problems: string[] = [];
  for (const part of manifest.parts) problems.push(...(await problemsOf(path, part, listDump, signal)));
  const named = filesOf(manifest);
  for (const name of await readdir(path))
    if (!named.has(name)) problems.push(`${name}: is not named by the manifest`);
  return problems;
};

const problemsOf = async (
  path: string,
  part: Part,
  listDump: ListDump,
  signal: AbortSignal,
): Promise<string[]> => {
  const file = join(path, part.file);
  try {
    const digest = await digestOf(file, signal);
    if (digest.sizeBytes !== part.sizeBytes)
      return [`${part.file}: has ${digest.sizeBytes} bytes, and the manifest says ${part.sizeBytes}`];
    if (digest.sha256 !== part.sha256)
      return [`${part.file}: its checksum is not the manifest's (the file was damaged or changed)`];
    if (part.part !== "database") return [];
    const missing = missingTables(await listDump(file, signal), part.tables);
    return missing.map((table) => `${part.file}: has no data of ${table}`);
  } catch (error) {
    signal.throwIfAborted();
    return [`${part.file}: ${(error as Error).message}`];
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
