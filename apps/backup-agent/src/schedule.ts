import { Cron } from "croner";

export interface Schedule {
  nextAt(): Date;
  /** True when a run was due between `since` and `now`: the agent was not running then. */
  missedSince(since: Date, now: Date): boolean;
  stop(): void;
}

interface Fields {
  /** Cron's five fields. */
  readonly schedule: string;
  readonly timeZone: string;
}

/** Calls `run` by cron's five fields in a time zone; one that is due while the last still runs is left out by `run`. */
export const startSchedule = (fields: Fields, run: () => void): Schedule => {
  checkSchedule(fields);
  const job = new Cron(fields.schedule, { timezone: fields.timeZone, mode: "5-part" }, run);
  return {
    nextAt: () => nextOf(job),
    missedSince: (since, now) => {
      const due = job.nextRun(since);
      return due !== null && due <= now;
    },
    stop: () => job.stop(),
  };
};

/** @throws with the reason when the fields, or the time zone, can't be read, or no moment ever fits them */
export const checkSchedule = ({ schedule, timeZone }: Fields): void => {
  nextOf(new Cron(schedule, { timezone: timeZone, mode: "5-part", paused: true }));
};

const nextOf = (job: Cron): Date => {
  const next = job.nextRun();
  if (next === null) throw new Error(`the schedule ${job.getPattern()} never comes`);
  return next;
};
