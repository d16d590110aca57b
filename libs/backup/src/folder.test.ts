import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import { type BackupId, backupIdOf } from "./backup-id.ts";
import {
  abandonBackup,
  beginBackup,
  commitBackup,
  readContents,
  removeBackup,
  unfinishedBackups,
  writeManifest,
} from "./folder.ts";
import { readPart, writePart } from "./part-file.ts";
import { aDatabasePart, aManifest, aPartFile } from "./testing/manifests.ts";

const never = new AbortController().signal;

const aFolder = async (t: TestContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "backups-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
};

const idOf = (second: number): BackupId =>
  backupIdOf(new Date(Date.UTC(2026, 10, 24, 2, 0, second)), Buffer.alloc(3));

const written = async (folder: string, id: BackupId): Promise<void> => {
  const path = await beginBackup(folder, id);
  const digest = await writePart(
    Readable.from([Buffer.from("a"), Buffer.from("b")]),
    aPartFile(path, "d", id),
    never,
  );
  await writeManifest(path, aManifest({ id, parts: [aDatabasePart({ file: "d", ...digest })] }));
};

test("a backup counts only once it was committed, and the oldest comes first", async (t) => {
  const folder = await aFolder(t);
  await written(folder, idOf(2));
  assert.deepEqual((await readContents(folder)).backups, []);
  await commitBackup(folder, idOf(2));
  await written(folder, idOf(1));
  await commitBackup(folder, idOf(1));
  const { backups, damaged, unknown } = await readContents(folder);
  assert.deepEqual(
    backups.map(({ id }) => id),
    [idOf(1), idOf(2)],
  );
  assert.deepEqual([damaged, unknown], [[], []]);
});

test("what a crash leaves at any point is unfinished, counts as nothing, and can be swept", async (t) => {
  const folder = await aFolder(t);
  await beginBackup(folder, idOf(1));
  await written(folder, idOf(2));
  assert.deepEqual(await readContents(folder), { backups: [], damaged: [], unknown: [] });
  const unfinished = await unfinishedBackups(folder);
  assert.deepEqual(unfinished.map(({ id }) => id).toSorted(), [idOf(1), idOf(2)]);
  for (const { id } of unfinished) await abandonBackup(folder, id);
  assert.deepEqual(await readdir(folder), []);
});

test("a removed backup is gone, and one whose removal was cut short is unfinished, not damaged", async (t) => {
  const folder = await aFolder(t);
  for (const second of [1, 2]) {
    await written(folder, idOf(second));
    await commitBackup(folder, idOf(second));
  }
  await removeBackup(folder, idOf(1));
  assert.deepEqual(await readdir(folder), [idOf(2)]);
});

test("folders without a good manifest are damaged; anything else that no backup made is named", async (t) => {
  const folder = await aFolder(t);
  await written(folder, idOf(1));
  await commitBackup(folder, idOf(1));
  await writeFile(join(folder, idOf(1), "stranger"), "");
  await mkdir(join(folder, idOf(2)));
  await written(folder, idOf(3));
  await commitBackup(folder, idOf(3));
  await writeManifest(join(folder, idOf(3)), aManifest({ id: idOf(4) }));
  await writeFile(join(folder, idOf(5)), "a file with a backup's name");
  await writeFile(join(folder, "notes.txt"), "mine");
  await mkdir(join(folder, "lost+found"));
  const { backups, damaged, unknown } = await readContents(folder);
  assert.deepEqual(
    backups.map(({ id }) => id),
    [idOf(1)],
  );
  assert.deepEqual(
    damaged.map(({ id }) => id),
    [idOf(2), idOf(3), idOf(5)],
  );
  assert.match(damaged[1]?.reason ?? "", /is of the backup/);
  assert.deepEqual(unknown, [`${idOf(1)}/stranger`, "notes.txt"]);
});

test("a backup that expires while the folder is read is left out, and is no error", async (t) => {
  const folder = await aFolder(t);
  const ids = [...Array(20).keys()].map(idOf);
  for (const id of ids) {
    await written(folder, id);
    await commitBackup(folder, id);
  }
  const readings = ids.map(() => readContents(folder));
  for (const id of ids) await removeBackup(folder, id);
  for (const { damaged, unknown } of await Promise.all(readings))
    assert.deepEqual([damaged, unknown], [[], []]);
});

const gathered = async (file: Parameters<typeof readPart>[0]): Promise<{ text: string; bytes: number }> => {
  let text = "";
  const { plainBytes } = await readPart(
    file,
    async (plain) => {
      for await (const chunk of plain) text += chunk.toString();
    },
    never,
  );
  return { text, bytes: plainBytes };
};

test("a part is written as it comes, and read as it came; a source that fails, or a file that is there, is an error", async (t) => {
  const folder = await aFolder(t);
  const file = aPartFile(folder, "part");
  const digest = await writePart(Readable.from([Buffer.from("abc")]), file, never);
  assert.deepEqual(
    [digest.plainBytes, digest.plainSha256],
    [3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  );
  assert.deepEqual(await gathered(file), { text: "abc", bytes: 3 });
  await assert.rejects(writePart(Readable.from([Buffer.from("x")]), file, never), /EEXIST/);
  const failing = Readable.from(
    (async function* () {
      yield Buffer.from("a");
      throw new Error("the source broke off");
    })(),
  );
  await assert.rejects(writePart(failing, aPartFile(folder, "other"), never), /the source broke off/);
});

test("a part that is compressed is small in its file, and whole when it is read", async (t) => {
  const folder = await aFolder(t);
  const file = { ...aPartFile(folder, "part"), compression: "zstd" as const };
  const text = "the same words again and again. ".repeat(100_000);
  const written = await writePart(Readable.from([Buffer.from(text)]), file, never);
  assert.ok(written.sizeBytes < 10_000, `${written.sizeBytes} bytes`);
  assert.deepEqual(await gathered(file), { text, bytes: text.length });
});

test("a reader that has enough does not keep the rest from being checked; one that fails is heard", async (t) => {
  const folder = await aFolder(t);
  const file = aPartFile(folder, "part");
  const written = await writePart(Readable.from([Buffer.alloc(1_000_000)]), file, never);
  const first = async (plain: AsyncIterable<Buffer>): Promise<void> => {
    for await (const _ of plain) return;
  };
  assert.deepEqual(await readPart(file, first, never), written);
  await assert.rejects(
    readPart(file, async () => Promise.reject(new Error("no")), never),
    /no/,
  );
});
