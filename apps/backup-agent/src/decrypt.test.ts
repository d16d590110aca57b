import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type TestContext, test } from "node:test";
import { promisify } from "node:util";
import {
  newDataKey,
  parseDataKey,
  signedManifest,
  wrappedKeyOf,
  writeManifest,
  writePart,
} from "@deeplens/backup";
import { aBackupId, aDatabasePart, aPartFile, aTenantId } from "@deeplens/backup/testing/manifests";
import { newMasterKeyLine, parseMasterKey, seal } from "@deeplens/secrets";

const script = new URL("./decrypt.ts", import.meta.url).pathname;
const run = (...words: readonly string[]) =>
  promisify(execFile)(process.execPath, [script, ...words]).catch(
    (error: { stdout: string; stderr: string }) => error,
  );

const aBackup = async (t: TestContext) => {
  const folder = await mkdtemp(join(tmpdir(), "decrypt-"));
  t.after(() => rm(folder, { recursive: true }));
  const [plainKey, masterKey] = [newDataKey(), newMasterKeyLine()];
  const key = parseDataKey(plainKey);
  const file = { ...aPartFile(folder, "database.dump.zst.enc"), key, compression: "zstd" as const };
  const digest = await writePart(
    Readable.from([Buffer.from("PGDMP all of it")]),
    file,
    new AbortController().signal,
  );
  const wrapped = wrappedKeyOf(
    // In full, as it lies in the manifests that there are.
    seal(parseMasterKey(masterKey), plainKey, [aTenantId, "backup.key", "manifest"]),
  );
  const moment = "2026-11-24T02:00:00.000Z";
  const parts = [aDatabasePart({ ...digest, compression: "zstd" })];
  await writeManifest(
    folder,
    signedManifest(
      {
        ...{ id: aBackupId, tenantId: aTenantId, slug: "acme", trigger: "request", parts },
        ...{ startedAt: moment, finishedAt: moment },
      },
      key,
      wrapped,
    ),
  );
  const [keyFile, masterKeyFile] = [
    join(folder, "..", `${aBackupId}.key`),
    join(folder, "..", `${aBackupId}.master`),
  ];
  await writeFile(keyFile, `${plainKey}\n`);
  await writeFile(masterKeyFile, `${masterKey}\n`);
  t.after(async () => {
    await rm(keyFile);
    await rm(masterKeyFile);
  });
  return { folder, keyFile, masterKeyFile };
};

test("a part comes out as it was, with the tenant's key or with the master key", async (t) => {
  const { folder, keyFile, masterKeyFile } = await aBackup(t);
  for (const key of [
    ["--key-file", keyFile],
    ["--master-key-file", masterKeyFile],
  ])
    assert.equal((await run(folder, "database.dump.zst.enc", ...key)).stdout, "PGDMP all of it");
});

test("another key, another file and no key are refused, and nothing comes out", async (t) => {
  const { folder, keyFile } = await aBackup(t);
  const other = join(folder, "other");
  await writeFile(other, newDataKey());
  for (const [words, reason] of [
    [["database.dump.zst.enc", "--key-file", other], /is of the key/],
    [["secrets.enc", "--key-file", keyFile], /the backup has database\.dump\.zst\.enc/],
    [["database.dump.zst.enc"], /usage/],
  ] as const) {
    const { stdout, stderr } = await run(folder, ...words);
    assert.equal(stdout, "");
    assert.match(stderr, reason);
  }
});
