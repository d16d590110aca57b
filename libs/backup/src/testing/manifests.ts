import { join } from "node:path";
import type { BackupId } from "../backup-id.ts";
import { type DataKey, parseDataKey } from "../data-key.ts";
import {
  type DatabasePart,
  type Manifest,
  type RedisPart,
  signedManifest,
  type VectorsPart,
  type WrappedKey,
} from "../manifest.ts";
import { type PartFile, partName } from "../part-file.ts";

export const aBackupId = "20261124T020000Z-00abff" as BackupId;
export const aTenantId = "6f0c1c1e-6d0b-5d5e-9d0b-2f9f3b1d7a55";
export const aDataKey: DataKey = parseDataKey(Buffer.alloc(32, 7).toString("base64url"));
/** It opens nothing. */
export const aWrappedKey: WrappedKey = { keyVersion: "v1", nonce: "AAAA", ciphertext: "AAAA" };

const aFile = {
  sha256: "0".repeat(64),
  sizeBytes: 1,
  plainSha256: "0".repeat(64),
  plainBytes: 1,
};

export const aDatabasePart = (changes: Partial<DatabasePart> = {}): DatabasePart => ({
  part: "database",
  file: "database.dump.zst.enc",
  ...aFile,
  compression: "none",
  takenAt: "2026-11-24T02:00:01.000Z",
  serverVersion: "17.2",
  toolVersion: "pg_dump 17.2",
  database: "tenant_acme_metadata",
  databaseBytes: 8_000_000,
  templateVersion: "0001",
  tables: [{ schema: "public", table: "images", rows: 3, checksum: "1" }],
  ...changes,
});

export const aVectorsPart = (changes: Partial<VectorsPart> = {}): VectorsPart => ({
  part: "vectors",
  file: "vectors-0001.snapshot.zst.enc",
  ...aFile,
  compression: "zstd",
  takenAt: "2026-11-24T02:00:02.000Z",
  serverVersion: "1.19.0",
  toolVersion: "backup-agent 0.1.0",
  collection: "images",
  points: 2,
  pointsAfter: 2,
  aliases: [],
  ...changes,
});

export const aRedisPart = (changes: Partial<RedisPart> = {}): RedisPart => ({
  part: "redis",
  file: "redis.resp.zst.enc",
  ...aFile,
  compression: "zstd",
  takenAt: "2026-11-24T02:00:01.500Z",
  serverVersion: "8.2.0",
  toolVersion: "backup-agent 0.1.0",
  prefix: "tenant:acme:",
  keys: 1,
  ...changes,
});

/** A manifest that parses, of tenant `acme`, signed with aDataKey. */
export const aManifest = (changes: Partial<Manifest> = {}): Manifest =>
  signedManifest(
    {
      id: aBackupId,
      tenantId: aTenantId,
      slug: "acme",
      trigger: "request",
      startedAt: "2026-11-24T02:00:00.000Z",
      finishedAt: "2026-11-24T02:00:03.000Z",
      parts: [aDatabasePart(), aVectorsPart()],
      ...changes,
    },
    aDataKey,
    aWrappedKey,
  );

/** The file of a part of that tenant's, encrypted with aDataKey. */
export const aPartFile = (path: string, file: string, id: BackupId = aBackupId): PartFile => ({
  path: join(path, file),
  key: aDataKey,
  name: partName(aTenantId, id, file),
  compression: "none",
});
