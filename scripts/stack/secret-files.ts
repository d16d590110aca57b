/** The stack's own passwords: made once, 240 bits each, one file each, mode 0600. */
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type StateFolder, writePrivateFile } from "./state-folder.ts";

const names = [
  "kafka-password",
  "control-db-password",
  "postgres-password",
  "redis-password",
  "minio-password",
  "identity-db-password",
  "api-token",
] as const;

export type SecretName = (typeof names)[number];

/** The user that the fleet's containers run as: its own one where root can hand files over, else the person's. */
export function fleetUser(): { readonly uid: number; readonly gid: number } {
  const uid = process.getuid?.() ?? 0;
  return uid === 0 ? { uid: 10001, gid: 10001 } : { uid, gid: process.getgid?.() ?? uid };
}

/** Makes what is missing and keeps what is there: data in volumes was made with these. */
export function ensureSecrets(state: StateFolder): void {
  for (const name of names) ensureSecret(secretFile(state, name), password);
  ensureSecret(state.masterKeyFile, masterKey);
  placeBucketKey(join(state.secrets, "backup-bucket-key"));
}

/** The secret of the backup bucket's keys: the person's, from a file; one that opens nothing while there is none. */
function placeBucketKey(path: string): void {
  const given = process.env.BACKUP_BUCKET_SECRET_KEY_FILE;
  if (given) writePrivateFile(path, readFileSync(given, "utf8"));
  ensureSecret(path, password);
}

/** The folder of the control database's backups: outside of every volume, and the fleet's to write. */
export function ensureControlBackups(state: StateFolder): void {
  const folder = join(state.path, "control-backups");
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o700);
  const { uid, gid } = fleetUser();
  if (process.getuid?.() === 0) chownSync(folder, uid, gid);
}

/** The path of one secret on the host. */
export const secretFile = (state: StateFolder, name: SecretName): string => join(state.secrets, name);

function ensureSecret(path: string, make: () => string): void {
  if (!existsSync(path)) writePrivateFile(path, make());
  const { uid, gid } = fleetUser();
  if (process.getuid?.() === 0) chownSync(path, uid, gid);
}

/** MinIO takes 8 to 40 characters: 30 bytes are 240 bits and 40 characters, safe in every quoting used. */
const password = (): string => randomBytes(30).toString("base64url");

/** The first version of the master key, as the secret store reads it. */
const masterKey = (): string => `v1:${randomBytes(32).toString("base64")}\n`;
