import assert from "node:assert/strict";
import { test } from "node:test";
import { backupIdOf, parseBackupId } from "./backup-id.ts";

test("a backup is named by the second it was begun in, and by chance", () => {
  const id = backupIdOf(new Date("2026-11-24T02:00:00.900Z"), Buffer.from([0, 0xab, 0xff, 1]));
  assert.equal(id, "20261124T020000Z-00abff");
  assert.equal(parseBackupId(id), id);
});

test("nothing that could lead out of the folder is a backup's id", () => {
  for (const text of [
    "",
    "..",
    "../20261124T020000Z-00abff",
    "20261124T020000Z-00abff/..",
    ".taking-20261124T020000Z-00abff",
    "20261124T020000Z-00abff\n",
    "20261124T020000Z-00ABFF",
    "20261324T020000Z-00abff",
    "20261124T250000Z-00abff",
  ])
    assert.equal(parseBackupId(text), undefined, JSON.stringify(text));
});
