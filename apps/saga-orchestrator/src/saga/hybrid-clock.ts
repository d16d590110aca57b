/**
 * The number after `last` of something that only grows: a slug's fences, a tenant's revisions. Never below the time in
 * ms since the epoch, so that what is given by a database that was emptied or set back stands above all that was ever
 * given, though nobody remembers it.
 */
export const after = (last: number, now: Date): number => Math.max(last + 1, now.getTime());
