import { type BackupId, type Compared, parseBackupId } from "@deeplens/backup";
import { restoreDatabase } from "../restore.ts";
import {
  type ControlBackups,
  listControlBackups,
  takeControlBackup,
  verifyControlBackup,
} from "./control-backups.ts";

/**
 * Restores a backup into the control database. Everything is checked before anything is touched: the backup is read back,
 * nobody else may be connected, and a database that is not empty is replaced only on demand, after a backup of it.
 *
 * @throws with what is in the way, and what to do
 */
export const restoreControlBackup = async (
  backups: ControlBackups,
  { id, replace }: { readonly id: string; readonly replace: boolean },
  { signal, say }: { readonly signal: AbortSignal; readonly say: (line: string) => void },
): Promise<Compared & { readonly safety: BackupId | undefined }> => {
  const { folder, database } = backups;
  const wanted = parseBackupId(id);
  const manifest = (await listControlBackups(folder)).find((one) => one.id === wanted);
  if (manifest === undefined) throw new Error(`there is no backup ${id} in ${folder}: see \`list\``);
  say(`Reading ${id} back ...`);
  const key = await verifyControlBackup(backups, manifest, signal);
  const others = await database.otherSessions();
  if (others.length > 0)
    throw new Error(
      `others are connected to the control database (${others.join(", ")}): stop the fleet first, npm stop or docker stop`,
    );
  const schemas = await database.schemas();
  if (schemas.length > 0 && !replace)
    throw new Error(
      `the control database is not empty (${schemas.join(", ")}): --replace takes a backup of it and replaces it`,
    );
  const safety = schemas.length > 0 ? (await takeControlBackup(backups, "request", signal)).id : undefined;
  if (safety !== undefined) say(`What is there now was backed up as ${safety}.`);
  await database.dropSchemas(schemas);
  say("Restoring ...");
  return { ...(await restoreDatabase({ folder, manifest, key, signal }, database)), safety };
};
