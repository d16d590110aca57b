import assert from "node:assert/strict";
import { test } from "node:test";
import type { BackupListing } from "@deeplens/backup";
import { factsOf } from "./probe.ts";

const backup = (finishedAt: string) => ({ finishedAt, parts: [{ sizeBytes: 1_000 }, { sizeBytes: 24 }] });
const listing = (change: object): BackupListing =>
  ({
    ...{ backups: [backup("2026-01-02T02:00:09.000Z"), backup("2026-01-01T02:00:09.000Z")] },
    ...{ damaged: [], unknown: [], jobs: [], tenantId: "t", nextAt: "2026-01-03T02:00:00.000Z" },
    ...change,
  }) as unknown as BackupListing;

test("the newest backup, its size, and the last restore that was proven are told", () => {
  const drill = { finishedAt: "2026-01-01T05:00:00.000Z" };
  assert.deepEqual(factsOf(listing({ lastDrill: drill })), {
    lastBackupAt: "2026-01-02T02:00:09.000Z",
    sizeBytes: "1024",
    backups: "2",
    provenRestoreAt: "2026-01-01T05:00:00.000Z",
    nextAt: "2026-01-03T02:00:00.000Z",
  });
  assert.equal(factsOf(listing({})).provenRestore, "none yet");
});

test("no backup, a failure since the last one, and a damaged one are ill; a failure before it is not", () => {
  const failure = (at: string) => ({ lastFailure: { what: "backup", at, error: "disk full" } });
  assert.throws(() => factsOf(listing({ backups: [] })), /there is no backup/);
  assert.throws(
    () => factsOf(listing(failure("2026-01-02T03:00:00.000Z"))),
    /the backup of 2026-01-02T03.* failed: disk full; the last backup is of 2026-01-02T02/,
  );
  assert.equal(factsOf(listing(failure("2026-01-01T03:00:00.000Z"))).backups, "2");
  assert.throws(
    () => factsOf(listing({ damaged: [{ id: "b1", reason: "checksum" }] })),
    /1 backups are damaged: b1 \(checksum\)/,
  );
});
