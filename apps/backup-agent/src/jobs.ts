import { setTimeout as delay } from "node:timers/promises";
import type { JobResult, JobRun } from "@deeplens/backup";
import type { Logger } from "@deeplens/telemetry";

/** Jobs one after the other, and what has become of each. */
export interface Jobs {
  /** Begins it when those before it have ended; joins the one of that id, unless that failed. */
  start(id: string, work: () => Promise<JobResult>): JobRun;
  /** One of them, as far as it has come within `waitMs`; undefined for an id that is not known. */
  see(id: string, waitMs: number): Promise<JobRun | undefined>;
  /** Those that run or wait. */
  open(): readonly string[];
  /** Resolves when none is under way any more. */
  settled(): Promise<void>;
}

const remembered = 50;

export const createJobs = (options: { readonly log: Logger; readonly now: () => Date }): Jobs => {
  const { log, now } = options;
  const runs = new Map<string, { run: JobRun; readonly end: Promise<void> }>();
  let last: Promise<void> = Promise.resolve();

  const finish = async (id: string, startedAt: string, work: () => Promise<JobResult>): Promise<JobRun> => {
    log.info({ job: id }, "a job begins");
    try {
      const result = await work();
      log.info({ job: id, kind: result.kind }, "the job is done");
      return { state: "done", id, startedAt, finishedAt: now().toISOString(), result };
    } catch (error) {
      log.error({ job: id, err: error }, "the job failed");
      const reason = (error as Error).message.slice(0, 4_000);
      return { state: "failed", id, startedAt, finishedAt: now().toISOString(), error: reason };
    }
  };
  const forgetOldest = (): void => {
    for (const [id, { run }] of runs) if (runs.size > remembered && run.state !== "running") runs.delete(id);
  };

  return {
    start: (id, work) => {
      const known = runs.get(id);
      if (known !== undefined && known.run.state !== "failed") return known.run;
      const startedAt = now().toISOString();
      const end = last.then(async () => {
        entry.run = await finish(id, startedAt, work);
        forgetOldest();
      });
      const entry: { run: JobRun; readonly end: Promise<void> } = {
        run: { state: "running", id, startedAt },
        end,
      };
      runs.delete(id); // what was tried again is the newest
      runs.set(id, entry);
      last = end;
      return entry.run;
    },
    see: async (id, waitMs) => {
      const entry = runs.get(id);
      if (entry?.run.state === "running" && waitMs > 0) {
        const timer = new AbortController();
        await Promise.race([entry.end, delay(waitMs, undefined, { signal: timer.signal, ref: false })]);
        timer.abort();
      }
      return runs.get(id)?.run;
    },
    open: () => [...runs].filter(([, { run }]) => run.state === "running").map(([id]) => id),
    settled: async () => {
      // One that is begun while this waits is waited for too.
      for (let waited: Promise<void> | undefined; waited !== last; ) {
        waited = last;
        await waited;
      }
    },
  };
};
