import type { BackupId } from "../backup-id.ts";
import { type DatabasePart, type Manifest, manifestVersion, type VectorsPart } from "../manifest.ts";

export const aBackupId = "20261124T020000Z-00abff" as BackupId;

export const aDatabasePart = (changes: Partial<DatabasePart> = {}): DatabasePart => ({
  part: "database",
  file: "database.dump",
  sha256: "0".repeat(64),
  sizeBytes: 1,
  takenAt: "2026-11-24T02:00:01.000Z",
  serverVersion: "17.2",
  toolVersion: "pg_dump 17.2",
  database: "tenant_acme_metadata",
  tables: [{ schema: "public", table: "images", rows: 3 }],
  ...changes,
});

export const aVectorsPart = (changes: Partial<VectorsPart> = {}): VectorsPart => ({
  part: "vectors",
  file: "vectors-0001.snapshot",
  sha256: "0".repeat(64),
  sizeBytes: 1,
  takenAt: "2026-11-24T02:00:02.000Z",
  serverVersion: "1.19.0",
  toolVersion: "backup-agent 0.1.0",
  collection: "images",
  points: 2,
  aliases: [],
  ...changes,
});

/** A manifest that parses, of tenant `acme`. */
export const aManifest = (changes: Partial<Manifest> = {}): Manifest => ({
  formatVersion: manifestVersion,
  id: aBackupId,
  tenantId: "6f0c1c1e-6d0b-5d5e-9d0b-2f9f3b1d7a55",
  slug: "acme",
  trigger: "request",
  startedAt: "2026-11-24T02:00:00.000Z",
  finishedAt: "2026-11-24T02:00:03.000Z",
  parts: [aDatabasePart(), aVectorsPart()],
  ...changes,
});
