import assert from "node:assert/strict";
import { mkdtemp, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import type { BackupId } from "./backup-id.ts";
import { newDataKey, parseDataKey } from "./data-key.ts";
import { writeManifest } from "./folder.ts";
import type { Manifest } from "./manifest.ts";
import { writePart } from "./part-file.ts";
import { missingTables, readBack } from "./read-back.ts";
import { restoreCommand } from "./redis-stream.ts";
import {
  aDatabasePart,
  aDataKey,
  aManifest,
  aPartFile,
  aRedisPart,
  aVectorsPart,
} from "./testing/manifests.ts";

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
  const written = async (file: string, content: string | Buffer) => ({
    file,
    compression: "none" as const,
    ...(await writePart(Readable.from([Buffer.from(content)]), aPartFile(path, file), never)),
  });
  const keys = restoreCommand({ key: Buffer.from("k"), payload: Buffer.from("p"), expiresAtMs: undefined });
  const manifest = aManifest({
    parts: [
      aDatabasePart(await written("database.dump.zst.enc", "PGDMP the dump")),
      aVectorsPart(await written("vectors.enc", "the snapshot")),
      aRedisPart(await written("redis.enc", keys)),
    ],
  });
  await writeManifest(path, manifest);
  return { path, manifest };
};

const problemsOf = (path: string, manifest: Manifest, dump = listDump, key = aDataKey) =>
  readBack(path, manifest, key, dump, never);

test("a whole backup is read back without a word", async (t) => {
  const { path, manifest } = await backupOnDisk(t);
  assert.deepEqual(await problemsOf(path, manifest), []);
});

test("a flipped bit, a cut and a missing file are each found, with the file's name", async (t) => {
  const { path, manifest } = await backupOnDisk(t);
  const [dump, vectors] = [join(path, "database.dump.zst.enc"), join(path, "vectors.enc")];
  const bytes = await readFile(dump);
  bytes[60] = (bytes[60] ?? 0) ^ 4;
  await writeFile(dump, bytes);
  await truncate(vectors, 50);
  assert.deepEqual(await problemsOf(path, manifest), [
    { code: "damaged", message: "database.dump.zst.enc: does not decrypt at byte 48" },
    { code: "cut-off", message: "vectors.enc: has 50 bytes, and the manifest says 76" },
  ]);
  await rm(dump);
  assert.match((await problemsOf(path, manifest))[0]?.message ?? "", /^database\.dump\.zst\.enc: ENOENT/);
});

test("with another key nothing of it is read", async (t) => {
  const { path, manifest } = await backupOnDisk(t);
  const problems = await problemsOf(path, manifest, listDump, parseDataKey(newDataKey()));
  assert.deepEqual(
    problems.map(({ code }) => code),
    ["wrong-key"],
  );
});

test("another backup's file of the same name, with its checksums, is no good", async (t) => {
  const [one, other] = [await backupOnDisk(t), await backupOnDisk(t)];
  const file = "vectors.enc";
  const id = "20261125T020000Z-00abff" as BackupId;
  await rm(join(one.path, file));
  const digest = await writePart(Readable.from([Buffer.from("x")]), aPartFile(other.path, "y", id), never);
  await rename(join(other.path, "y"), join(one.path, file));
  const parts = one.manifest.parts.map((part) => (part.part === "vectors" ? { ...part, ...digest } : part));
  const manifest = aManifest({ parts });
  assert.deepEqual(
    (await problemsOf(one.path, manifest)).map(({ message }) => message),
    ["vectors.enc: does not decrypt at byte 48"],
  );
});

test("fewer keys of Redis than were counted are told", async (t) => {
  const { path, manifest } = await backupOnDisk(t);
  const parts = manifest.parts.map((part) => (part.part === "redis" ? { ...part, keys: 2 } : part));
  assert.deepEqual(await problemsOf(path, aManifest({ parts })), [
    { code: "damaged", message: "redis.enc: holds 1 keys, and the manifest says 2" },
  ]);
});

test("a dump that Postgres's own tool can't read, or that lacks a table's data, is not good", async (t) => {
  const { path, manifest } = await backupOnDisk(t);
  const unreadable = async (): Promise<string> => {
    throw new Error("pg_restore: error: did not find magic string in file header");
  };
  assert.match(
    (await problemsOf(path, manifest, unreadable))[0]?.message ?? "",
    /database\.dump\.zst\.enc: pg_restore: error/,
  );
  assert.deepEqual(await problemsOf(path, manifest, async () => ""), [
    { code: "damaged", message: "database.dump.zst.enc: has no data of public.images" },
  ]);
});

test("a file that the manifest does not name is told", async (t) => {
  const { path, manifest } = await backupOnDisk(t);
  await writeFile(join(path, "notes.txt"), "mine");
  assert.deepEqual(await problemsOf(path, manifest), [
    { code: "damaged", message: "notes.txt: is not named by the manifest" },
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
