import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import {
  type BackupId,
  backupIdOf,
  beginBackup,
  commitBackup,
  type Manifest,
  readContents,
  writeManifest,
  writePart,
} from "@deeplens/backup";
import { aDatabasePart, aManifest } from "@deeplens/backup/testing/manifests";
import { createLogger } from "@deeplens/telemetry";
import { createBackupRuns, type RunOptions } from "./backup-runs.ts";

const aFolder = async (t: TestContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "runs-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
};

const written = async (folder: string, id: BackupId, finishedAt: Date): Promise<Manifest> => {
  const path = await beginBackup(folder, id);
  const digest = await writePart(Readable.from(["x"]), join(path, "d"), new AbortController().signal);
  const parts = [aDatabasePart({ file: "d", ...digest })];
  const manifest = aManifest({ id, finishedAt: finishedAt.toISOString(), parts });
  await writeManifest(path, manifest);
  await commitBackup(folder, id);
  return manifest;
};

const runsOf = (folder: string, changes: Partial<RunOptions> = {}) => {
  let made = 0;
  return createBackupRuns({
    folder,
    retentionDays: 30,
    log: createLogger("test", "silent"),
    now: () => new Date("2026-11-24T02:00:00Z"),
    random: () => Buffer.from([0, 0, ++made]),
    take: (id) => written(folder, id, new Date("2026-11-24T02:00:09Z")),
    ...changes,
  });
};

test("two requests at once get the one backup that runs; the next request gets a new one", async (t) => {
  const runs = runsOf(await aFolder(t));
  const first = runs.start("request");
  assert.equal(first.state, "running");
  assert.equal(runs.start("schedule").id, first.id);
  assert.equal(runs.running(), first.id);
  const done = await runs.see(first.id, 5_000);
  assert.ok(done?.state === "done" && done.manifest.id === first.id);
  assert.equal(runs.running(), undefined);
  assert.notEqual(runs.start("request").id, first.id);
  await runs.settled();
});

test("a wait ends when its time is up, and says that the backup still runs", async (t) => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const folder = await aFolder(t);
  const take: RunOptions["take"] = async (id) => {
    await promise;
    return written(folder, id, new Date());
  };
  const runs = runsOf(folder, { take });
  const { id } = runs.start("request");
  assert.equal((await runs.see(id, 20))?.state, "running");
  resolve();
  assert.equal((await runs.see(id, 5_000))?.state, "done");
});

test("a backup that failed says why, and the next one is not kept from running", async (t) => {
  const folder = await aFolder(t);
  let tries = 0;
  const take: RunOptions["take"] = async (id) => {
    if (++tries === 1) throw new Error("no space left on device");
    return written(folder, id, new Date());
  };
  const runs = runsOf(folder, { take });
  const { id } = runs.start("request");
  const failed = await runs.see(id, 5_000);
  assert.ok(failed?.state === "failed" && failed.error === "no space left on device");
  assert.equal((await runs.see(runs.start("request").id, 5_000))?.state, "done");
});

test("an id that no backup has is unknown", async (t) => {
  const runs = runsOf(await aFolder(t));
  assert.equal(await runs.see(backupIdOf(new Date(), Buffer.alloc(3)), 0), undefined);
});

test("expired backups go after a good one, and stay while backups fail", async (t) => {
  const folder = await aFolder(t);
  const old = backupIdOf(new Date("2026-01-01T02:00:00Z"), Buffer.alloc(3));
  await written(folder, old, new Date("2026-01-01T02:00:00Z"));
  const older = backupIdOf(new Date("2025-12-31T02:00:00Z"), Buffer.alloc(3));
  await written(folder, older, new Date("2025-12-31T02:00:00Z"));
  const failing = runsOf(folder, { take: async () => Promise.reject(new Error("no")) });
  failing.start("schedule");
  await failing.settled();
  assert.equal((await readContents(folder)).backups.length, 2);
  const runs = runsOf(folder);
  const { id } = runs.start("schedule");
  await runs.settled();
  assert.deepEqual(
    (await readContents(folder)).backups.map((manifest) => manifest.id),
    [id],
  );
});
