import type { BackupId } from "./backup-id.ts";

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Which backups are past their time. The newest one always stays, however old: it is the last good one. Give it good
 * backups only (those whose manifest could be read): a damaged one must not stand as the last.
 */
export const expiredBackups = (
  good: readonly { readonly id: BackupId; readonly finishedAt: string }[],
  now: Date,
  retentionDays: number,
): readonly BackupId[] => {
  const newestFirst = good.toSorted((a, b) => Date.parse(b.finishedAt) - Date.parse(a.finishedAt));
  const cutMs = now.getTime() - retentionDays * dayMs;
  return newestFirst
    .slice(1)
    .filter(({ finishedAt }) => Date.parse(finishedAt) < cutMs)
    .map(({ id }) => id);
};
