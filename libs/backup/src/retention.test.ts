import assert from "node:assert/strict";
import { test } from "node:test";
import type { BackupId } from "./backup-id.ts";
import { expiredBackups } from "./retention.ts";

const now = new Date("2026-12-31T12:00:00Z");
const daysOld = (days: number): { id: BackupId; finishedAt: string } => ({
  id: `${days} days old` as BackupId,
  finishedAt: new Date(now.getTime() - days * 86_400_000).toISOString(),
});

test("backups older than the days that they are kept expire, those of exactly that age do not", () => {
  const good = [daysOld(31), daysOld(30), daysOld(30.01), daysOld(1), daysOld(0)];
  assert.deepEqual(expiredBackups(good, now, 30).toSorted(), ["30.01 days old", "31 days old"]);
});

test("the last good backup stays, however old it is and wherever it stands in the list", () => {
  assert.deepEqual(expiredBackups([daysOld(400)], now, 30), []);
  assert.deepEqual(expiredBackups([daysOld(400), daysOld(90), daysOld(500)], now, 30).toSorted(), [
    "400 days old",
    "500 days old",
  ]);
  assert.deepEqual(expiredBackups([], now, 30), []);
});
