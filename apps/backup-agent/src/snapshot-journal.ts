import { appendFile, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { RemoteSnapshot } from "./vectors.ts";

// Snapshots that this backup made in Qdrant, a line each, kept in the backup's unfinished folder: what the next start
// deletes there after a crash. One that Qdrant made while the process died before its answer is not in it; it stays
// for an operator, since it can't be told from one that the tenant made.

const file = "snapshots.journal";
const line = z.object({ collection: z.string(), name: z.string() });

export const noteSnapshot = (path: string, { collection, name }: RemoteSnapshot): Promise<void> =>
  appendFile(join(path, file), `${JSON.stringify({ collection, name })}\n`, { mode: 0o600, flush: true });

/** The snapshots noted in an unfinished folder; a line that a crash cut short is left out. */
export const notedSnapshots = async (path: string): Promise<readonly RemoteSnapshot[]> => {
  const lines = (await contentsOf(join(path, file))).split("\n");
  return lines.flatMap((text) => {
    try {
      return [line.parse(JSON.parse(text))];
    } catch {
      return []; // cut short
    }
  });
};

// A journal that is there and can't be read keeps its folder: what it names would else stay in Qdrant for ever.
const contentsOf = async (path: string): Promise<string> => {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
};

/** All of them were deleted in Qdrant. */
export const closeJournal = (path: string): Promise<void> => rm(join(path, file), { force: true });
