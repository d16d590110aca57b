import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  backupIdOf,
  backupPath,
  beginBackup,
  fileOf,
  type Manifest,
  readContents,
  readPart,
  restoreCommand,
} from "@deeplens/backup";
import { aDataKey, aTenantId, aWrappedKey } from "@deeplens/backup/testing/manifests";
import { createLogger } from "@deeplens/telemetry";
import type { Database } from "./database.ts";
import type { Keys } from "./keys.ts";
import { sweepUnfinished } from "./sweep.ts";
import { type BackupPlan, takeBackup } from "./take-backup.ts";
import type { RemoteSnapshot, Vectors } from "./vectors.ts";

// The order of things and what a failure leaves, on services in memory; what they really answer: agent.int.test.ts.

const startedAt = new Date("2026-11-24T02:00:00Z");
const log = createLogger("test", "silent");

const planOf = async (t: TestContext, changes: Partial<BackupPlan> = {}): Promise<BackupPlan> => {
  const folder = await mkdtemp(join(tmpdir(), "agent-"));
  t.after(() => rm(folder, { recursive: true }));
  return {
    folder,
    id: backupIdOf(startedAt, Buffer.alloc(3)),
    key: aDataKey,
    settings: {
      tenantId: aTenantId,
      slug: "acme",
      wrappedKey: aWrappedKey,
      topic: { name: "t", asOf: startedAt.toISOString(), partitions: 3, config: { "retention.ms": "1" } },
    },
    trigger: "request",
    toolVersion: "backup-agent 0.1.0",
    now: () => startedAt,
    signal: new AbortController().signal,
    ...changes,
  };
};

const notHere = async (): Promise<never> => assert.fail("a backup restores nothing");

const aDatabase = (changes: Partial<Database> = {}): Database => ({
  dump: async (write) => ({
    ...(await write(Readable.from([Buffer.from("PGDMP")]))),
    databaseBytes: 8_000_000,
    templateVersion: "0001",
    database: "tenant_acme_metadata",
    takenAt: startedAt.toISOString(),
    serverVersion: "17.2",
    toolVersion: "pg_dump 17.2",
    tables: [{ schema: "public", table: "images", rows: 3, checksum: "1" }],
  }),
  listDump: async () => "1; 0 1 TABLE DATA public images owner",
  check: async () => {},
  restore: notHere,
  tables: notHere,
  schemas: notHere,
  dropSchemas: notHere,
  otherSessions: notHere,
  beside: () => aDatabase(changes),
  ...changes,
});

const someKeys = (changes: Partial<Keys> = {}): Keys => ({
  dump: async (write) => {
    const key = { key: Buffer.from("tenant:acme:k"), payload: Buffer.from("p"), expiresAtMs: undefined };
    const digest = await write(Readable.from([restoreCommand(key)]));
    return { ...digest, serverVersion: "7.0.0", prefix: "tenant:acme:", keys: 1 };
  },
  check: async () => {},
  ...changes,
});

const take = (plan: BackupPlan, database: Database, vectors: Vectors, keys = someKeys()): Promise<Manifest> =>
  takeBackup(plan, { database, vectors, keys });

interface MemoryVectors extends Vectors {
  readonly snapshots: Set<string>;
}

const someVectors = (collections: readonly string[], changes: Partial<Vectors> = {}): MemoryVectors => {
  const snapshots = new Set<string>();
  const nameOf = ({ collection, name }: RemoteSnapshot): string => `${collection}/${name}`;
  return {
    snapshots,
    version: async () => "1.19.0",
    collections: async () => collections,
    points: async () => 2,
    aliases: async (collection) => (collection === "images" ? ["current"] : []),
    snapshot: async (collection) => {
      const made = { collection, name: `${collection}-1.snapshot`, sha256: undefined };
      snapshots.add(nameOf(made));
      return made;
    },
    download: async (snapshot) => Readable.from([Buffer.from(nameOf(snapshot))]),
    forget: async (snapshot) => {
      snapshots.delete(nameOf(snapshot));
    },
    recover: notHere,
    point: notHere,
    remove: notHere,
    check: async () => {},
    ...changes,
  };
};

test("a backup holds the dump and every collection, whatever its name, and leaves no snapshot in Qdrant", async (t) => {
  const plan = await planOf(t);
  const vectors = someVectors(["images", "../we/ird name"]);
  const manifest = await take(plan, aDatabase(), vectors);
  assert.deepEqual(
    manifest.parts.map((part) => [part.file, part.part === "vectors" ? part.collection : part.part]),
    [
      ["database.dump.zst.enc", "database"],
      ["vectors-0001.snapshot.zst.enc", "images"],
      ["vectors-0002.snapshot.zst.enc", "../we/ird name"],
      ["redis.resp.zst.enc", "redis"],
      ["topic.json.enc", "topic"],
    ],
  );
  assert.deepEqual((await readContents(plan.folder)).backups, [manifest]);
  const part = manifest.parts[2] ?? assert.fail();
  let second = "";
  const read = async (plain: AsyncIterable<Buffer>): Promise<void> => {
    for await (const chunk of plain) second += chunk.toString();
  };
  const file = fileOf(backupPath(plan.folder, plan.id), manifest, part, plan.key);
  await readPart(file, read, plan.signal);
  assert.match(second, /ird name/);
  assert.deepEqual([...vectors.snapshots], []);
  const [, images] = manifest.parts;
  assert.ok(images?.part === "vectors" && images.aliases.includes("current") && images.points === 2);
});

const failures: readonly [
  string,
  () => { database?: Partial<Database>; vectors?: Partial<Vectors> },
  RegExp,
][] = [
  ["the dump fails", () => ({ database: { dump: async () => fail("no such role") } }), /no such role/],
  ["a snapshot fails", () => ({ vectors: { snapshot: async () => fail("disk full") } }), /disk full/],
  [
    "a download breaks off",
    () => ({ vectors: { download: async () => Readable.from(breakingOff()) } }),
    /broke off/,
  ],
  [
    "a snapshot arrives with another checksum than Qdrant says",
    () => ({
      vectors: {
        snapshot: async (collection) => ({ collection, name: "s", sha256: "f".repeat(64) }),
      },
    }),
    /came in with the checksum/,
  ],
  [
    "the dump can't be read back",
    () => ({ database: { listDump: async () => fail("did not find magic string") } }),
    /can't be read back: database\.dump\.zst\.enc: did not find magic/,
  ],
  ["the dump lacks a table", () => ({ database: { listDump: async () => "" } }), /no data of public\.images/],
];

const fail = (why: string): never => {
  throw new Error(why);
};

const breakingOff = async function* (): AsyncGenerator<Buffer> {
  yield Buffer.from("a");
  fail("broke off");
};

for (const [what, changes, reason] of failures)
  test(`where ${what}, the backup fails with the reason, and leaves nothing, here or in Qdrant`, async (t) => {
    const plan = await planOf(t);
    const { database, vectors } = changes();
    const qdrant = someVectors(["images"], vectors);
    await assert.rejects(take(plan, aDatabase(database), qdrant), reason);
    assert.deepEqual(await readdir(plan.folder), []);
    assert.deepEqual([...qdrant.snapshots], []);
  });

// Seen to fail while a dump that failed broke the snapshots off: Qdrant finishes what it began, and nobody noted it.
test("a dump that fails while Qdrant makes a snapshot leaves none there", async (t) => {
  const plan = await planOf(t);
  const plain = someVectors(["images"]);
  const slow: MemoryVectors = {
    ...plain,
    snapshot: async (collection, signal) => {
      const made = await plain.snapshot(collection, signal);
      await delay(20, undefined, { signal });
      return made;
    },
  };
  await assert.rejects(
    take(plan, aDatabase({ dump: async () => fail("no such role") }), slow),
    /no such role/,
  );
  assert.deepEqual(await readdir(plan.folder), []);
  assert.deepEqual([...slow.snapshots], []);
});

test("a backup that is stopped leaves nothing, here or in Qdrant", async (t) => {
  const stop = new AbortController();
  const plan = await planOf(t, { signal: stop.signal });
  const vectors = someVectors(["images"], {
    download: async () => {
      stop.abort();
      return Readable.from([Buffer.from("a")]);
    },
  });
  await assert.rejects(take(plan, aDatabase(), vectors), { name: "AbortError" });
  assert.deepEqual(await readdir(plan.folder), []);
  assert.deepEqual([...vectors.snapshots], []);
});

test("what a crash left is swept with its snapshots; while Qdrant is away it stays, and nothing counts it", async (t) => {
  const plan = await planOf(t);
  const vectors = someVectors(["images"], { download: async () => fail("broke off") });
  const { forget } = vectors;
  const away: Vectors = { ...vectors, forget: async () => fail("Qdrant is away") };
  await assert.rejects(take(plan, aDatabase(), away), /broke off/);
  await sweepUnfinished(plan.folder, away, log);
  assert.equal((await readdir(plan.folder)).length, 1);
  assert.deepEqual((await readContents(plan.folder)).backups, []);
  assert.equal(vectors.snapshots.size, 1);
  await sweepUnfinished(plan.folder, { forget }, log);
  assert.deepEqual(await readdir(plan.folder), []);
  assert.deepEqual([...vectors.snapshots], []);
});

test("a file that somebody puts beside the parts while they are written makes the backup fail", async (t) => {
  const plan = await planOf(t);
  const vectors = someVectors(["images"], {
    aliases: async () => {
      await writeFile(join(plan.folder, `.taking-${plan.id}`, "stranger"), "");
      return [];
    },
  });
  await assert.rejects(take(plan, aDatabase(), vectors), /stranger: is not named by the manifest/);
});

// Seen to fail while any error of the reading counted as "no journal": the folder went, its snapshots stayed.
test("what can't be read of an unfinished backup keeps its folder for the next sweep", async (t) => {
  const { folder, id } = await planOf(t);
  const path = await beginBackup(folder, id);
  await mkdir(join(path, "snapshots.journal")); // not to be read as a file
  await sweepUnfinished(folder, someVectors([]), log);
  assert.deepEqual(await readdir(folder), [`.taking-${id}`]);
});
