import { abandonBackup, type BackupId, unfinishedBackups } from "@deeplens/backup";
import type { Logger } from "@deeplens/telemetry";
import { notedSnapshots } from "./snapshot-journal.ts";
import type { Vectors } from "./vectors.ts";

/** How long Qdrant has to delete a snapshot. */
const forgetMs = 3_000;

/**
 * Removes what an unfinished backup left: its snapshots in Qdrant, then its folder. It goes by no signal but its own
 * time: a backup that was stopped is tidied up too.
 *
 * @throws when Qdrant does not delete a snapshot; the folder then stays, for the next sweep
 */
export const removeUnfinished = async (
  folder: string,
  unfinished: { readonly id: BackupId; readonly path: string },
  vectors: Pick<Vectors, "forget">,
): Promise<void> => {
  for (const snapshot of await notedSnapshots(unfinished.path))
    await vectors.forget(snapshot, AbortSignal.timeout(forgetMs));
  await abandonBackup(folder, unfinished.id);
};

/** Removes what crashes left half-made, as far as it can be. Call it only while no backup runs. */
export const sweepUnfinished = async (
  folder: string,
  vectors: Pick<Vectors, "forget">,
  log: Logger,
): Promise<void> => {
  for (const unfinished of await unfinishedBackups(folder)) {
    try {
      await removeUnfinished(folder, unfinished, vectors);
      log.info({ backup: unfinished.id }, "removed what an unfinished backup left");
    } catch (error) {
      log.warn({ backup: unfinished.id, err: error }, "an unfinished backup can't be removed yet");
    }
  }
};
