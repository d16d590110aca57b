/** The name of a backup and of its folder: when it was begun (UTC, to the second), then six random hex digits. */
export type BackupId = string & { readonly __brand: "BackupId" };

const pattern = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z-[0-9a-f]{6}$/;

/** The id of a backup begun at `startedAt`; `random` gives at least 24 bits, the rest is dropped. */
export const backupIdOf = (startedAt: Date, random: Uint8Array): BackupId => {
  if (random.length < 3) throw new Error("a backup's id needs three random bytes");
  const second = startedAt.toISOString().slice(0, 19).replaceAll("-", "").replaceAll(":", "");
  return `${second}Z-${Buffer.from(random.subarray(0, 3)).toString("hex")}` as BackupId;
};

/** The id in a text, or undefined for anything else: nothing but a parsed id becomes part of a path. */
export const parseBackupId = (text: string): BackupId | undefined => {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const moment = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(moment.getTime()) ? undefined : (text as BackupId);
};

/** When the backup of that id was begun, to the second. */
export const startOf = (id: BackupId): Date => {
  const [, year, month, day, hour, minute, second] = pattern.exec(id) ?? [];
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
};
