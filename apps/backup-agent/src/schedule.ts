import { createHash } from "node:crypto";
import { Cron } from "croner";

/** Cron's five fields in a time zone, each moment put off by the tenant's own share of the spread. */
export interface Timetable {
  readonly schedule: string;
  readonly timeZone: string;
  readonly spreadMs: number;
  readonly tenantId: string;
}

/** @throws with the reason when the fields, or the time zone, can't be read, or no moment ever fits them */
export const checkSchedule = ({ schedule, timeZone }: Pick<Timetable, "schedule" | "timeZone">): void => {
  if (cron({ schedule, timeZone }).nextRun() === null)
    throw new Error(`the schedule ${schedule} never comes`);
};

/** The first moment of the timetable after `since`. */
export const nextAfter = (timetable: Timetable, since: Date): Date => {
  const offMs = shareOf(timetable);
  const next = cron(timetable).nextRun(new Date(since.getTime() - offMs));
  if (next === null) throw new Error(`the schedule ${timetable.schedule} never comes`);
  return new Date(next.getTime() + offMs);
};

/**
 * Whether something is due: a moment of the timetable has come since the last good one was begun. That is the one rule
 * for the night itself, for one that was slept through, and for one that failed; that is tried again after a quarter
 * of an hour.
 */
export const isDue = (
  timetable: Timetable,
  last: { readonly startedAt: Date; readonly failedAt?: Date | undefined },
  now: Date,
): boolean =>
  nextAfter(timetable, last.startedAt) <= now &&
  (last.failedAt === undefined || now.getTime() - last.failedAt.getTime() >= retryMs);

const retryMs = 15 * 60_000;

/** A number of milliseconds below `spreadMs` that follows from the tenant: a thousand tenants spread evenly. */
const shareOf = ({ tenantId, spreadMs }: Timetable): number => {
  const share = createHash("sha256").update(tenantId).digest().readUInt32BE() / 2 ** 32;
  return Math.floor(share * spreadMs);
};

const cron = ({ schedule, timeZone }: Pick<Timetable, "schedule" | "timeZone">): Cron =>
  new Cron(schedule, { timezone: timeZone, mode: "5-part", paused: true });
