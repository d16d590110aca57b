import { createReadStream, createWriteStream } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type BackupId, backupPath, fetchingPath } from "@deeplens/backup";

/** Files of backups as they lie in the folder, encrypted; names are checked by whoever asks. */
export interface BackupFiles {
  /** One of a backup that counts; undefined where there is none. */
  read(
    id: BackupId,
    file: string,
  ): Promise<{ readonly sizeBytes: number; readonly content: Readable } | undefined>;
  /** Takes one of a backup that is brought back: whole, or not at all. */
  write(id: BackupId, file: string, content: Readable): Promise<void>;
}

export const backupFiles = (folder: string): BackupFiles => ({
  read: async (id, file) => {
    const path = join(backupPath(folder, id), file);
    try {
      const handle = await open(path, "r");
      const { size } = await handle.stat();
      // Open already: one that expires meanwhile is read to its end.
      return { sizeBytes: size, content: createReadStream(path, { fd: handle, highWaterMark: 256 * 1_024 }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  },
  write: async (id, file, content) => {
    const path = join(await fetchingPath(folder, id), file);
    const partial = join(await fetchingPath(folder, id), `.${file}`);
    // Where the disk is full the sender is told so: its connection is not cut.
    const chunks = content.iterator({ destroyOnReturn: false });
    await pipeline(chunks, createWriteStream(partial, { mode: 0o600, flush: true }));
    await rename(partial, path);
  },
});
