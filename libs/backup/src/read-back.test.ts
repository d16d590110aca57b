import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { writeManifest } from "./folder.ts";
import type { Manifest } from "./manifest.ts";
import { missingTables, readBack } from "./read-back.ts";
import { aDatabasePart, aManifest, aVectorsPart } from "./testing/manifests.ts";

const listing = [
  "; Dumped from database version: 17.2",
  "3; 2615 2200 SCHEMA - public pg_database_owner",
  "210; 1259 16390 TABLE public images tenant_acme_owner",
  "3382; 0 16390 TABLE DATA public images tenant_acme_owner",
  "3383; 0 16391 TABLE DATA other my table tenant_acme_owner",
].join("\n");
const listDump = async (): Promise<string> => listing;
const never = new AbortController().signal;

/** A backup on the disk, whole unless the test damages it. */
const backupOnDisk = async (t: TestContext): Promise<{ path: string; manifest: Manifest }> => {
  const path = await mkdtemp(join(tmpdir(), "backup-"));
  t.after(() => rm(path, { recursive: true }));
  const written = async (file: string, content: string) => {
    await writeFile(join(path, file), content);
    return { sha256: createHash("sha256").update(content).digest("hex"), sizeBytes: content.length };
  };
  const manifest = aManifest({
    parts: [
      aDatabasePart(await written("database.dump", "PGDMP the dump")),
      aVectorsPart(await written("vectors-0001.snapshot", "the snapshot")),
    ],
  });
  await writeManifest(path, manifest);
  return { path, manifest };
};

test("a whole backup is read back without a word", async (t) => {
  const { path, manifest } = await backupOnDisk(t);
  assert.deepEqual(await readBack(path, manifest, listDump, never), []);
});

test("a changed byte, a cut and a missing file are each found, with the file's name", async (t) => {
  const { path, manifest } = await backupOnDisk(t);
  await writeFile(join(path, "database.dump"), "PGDMP the bump");
  await writeFile(join(path, "vectors-0001.snapshot"), "the snap");
  assert.deepEqual(await readBack(path, manifest, listDump, never), [
    "database.dump: its checksum is not the manifest's (the file was damaged or changed)",
    "vectors-0001.snapshot: has 8 bytes, and the manifest says 12",
  ]);
  await rm(join(path, "database.dump"));
  const [problem] = await readBack(path, manifest, listDump, never);
  assert.match(problem ?? "", /^database\.dump: ENOENT/);
});

test("a dump that Postgres's own tool can't read, or that lacks a table's data, is not good", async (t) => {
  const { path, manifest } = await backupOnDisk(t);
  const unreadable = async (): Promise<string> => {
    throw new Error("pg_restore: error: did not find magic string in file header");
  };
  assert.match(
    (await readBack(path, manifest, unreadable, never)).join(),
    /database\.dump: pg_restore: error/,
  );
  assert.deepEqual(await readBack(path, manifest, async () => "", never), [
    "database.dump: has no data of public.images",
  ]);
});

test("a file that the manifest does not name is told", async (t) => {
  const { path, manifest } = await backupOnDisk(t);
  await writeFile(join(path, "notes.txt"), "mine");
  assert.deepEqual(await readBack(path, manifest, listDump, never), [
    "notes.txt: is not named by the manifest",
  ]);
});

test("a table is not taken for one whose name it begins", () => {
  const missing = (schema: string, table: string): readonly string[] =>
    missingTables(listing, [{ schema, table }]);
  assert.deepEqual(missing("public", "images"), []);
  assert.deepEqual(missing("other", "my table"), []);
  assert.deepEqual(missing("public", "image"), ["public.image"]);
  assert.deepEqual(missing("other", "images"), ["other.images"]);
});
