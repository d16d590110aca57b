import type { z } from "zod";
import { ofWorkers } from "../store/of-workers.ts";
import type { ApiContext } from "./context.ts";
import { owes } from "./debts.ts";
import type { overviewSchema } from "./desk-schemas.ts";
import { type Group, readGroups } from "./desk-store.ts";
import { sagaStatuses, tenantStates } from "./schemas.ts";
import { sharedReading } from "./shared-reading.ts";
import type { Db } from "./tables.ts";

type Overview = z.infer<typeof overviewSchema>;

const quickMs = 1_000;
const slowMs = 5_000;

/** What answers "is anything wrong?", and the groups of it: read once for all who ask within a second. */
export const createDesk = ({ db, fleet, log }: Pick<ApiContext, "db" | "fleet" | "log">) => {
  // Kafka's part is slower, and the rest is worth showing without it.
  const asked = <T>(what: string, work: () => Promise<T>) =>
    sharedReading(
      (_: "all"): Promise<T | null> =>
        work().catch((error: Error) => {
          log.warn({ reason: error.message }, `Kafka does not say ${what}`);
          return null;
        }),
      slowMs,
    );
  const deadLetters = asked("what the dead letters are", () => fleet.deadLetters());
  const workers = asked("how far the workers are", () => fleet.workers());
  const groups = sharedReading((_: "all") => readGroups(db), quickMs);
  const counts = sharedReading((_: "all") => readCounts(db), quickMs);
  return {
    groups: (): Promise<Group[]> => groups("all"),
    overview: async (): Promise<Overview> => {
      const [counted, failed, letters, seen] = await Promise.all([
        counts("all"),
        groups("all"),
        deadLetters("all"),
        workers("all"),
      ]);
      const { versions, ...rest } = counted;
      const steps = seen?.map(({ step }) => step) ?? [...versions.keys()];
      return {
        ...rest,
        at: new Date().toISOString(),
        groups: failed,
        deadLetters: letters,
        workers: steps.map((step) => {
          const known = seen?.find((one) => one.step === step);
          const running = versions.get(step) ?? [];
          return {
            step,
            alive: known?.alive ?? running.length,
            lag: known?.lag ?? null,
            versions: [...new Set(running)],
          };
        }),
      };
    },
  };
};

const readCounts = async (db: Db) => {
  const { pool, tables } = db;
  const [byState, byStatus, few, backups, versions] = await Promise.all([
    pool.query<{ word: string; count: number }>(
      `SELECT state AS word, count(*)::int AS count FROM ${tables.tenants} GROUP BY state`,
    ),
    pool.query<{ word: string; count: number }>(
      `SELECT status AS word, count(*)::int AS count FROM ${tables.sagas} GROUP BY status`,
    ),
    pool.query<{ degraded: number; debts: number; stopped: number }>(
      `SELECT (SELECT count(*)::int FROM ${tables.tenants} WHERE state = 'ready' AND acts ? 'degraded') AS degraded,
              (SELECT count(*)::int FROM ${tables.sagas} WHERE ${owes}) AS debts,
              (SELECT (count(requests_stopped) + count(replies_stopped))::int FROM ${tables.shards}) AS stopped`,
    ),
    readOverdueBackups(db),
    readVersions(db),
  ]);
  const { degraded = 0, debts = 0, stopped = 0 } = few.rows[0] ?? {};
  return {
    tenants: countsOf(tenantStates, byState.rows),
    sagas: countsOf(sagaStatuses, byStatus.rows),
    ...{ degraded, debts, backups, versions },
    stoppedPartitions: stopped,
  };
};

const countsOf = (
  words: readonly string[],
  rows: readonly { word: string; count: number }[],
): Record<string, number> =>
  Object.fromEntries(words.map((word) => [word, rows.find((row) => row.word === word)?.count ?? 0]));

interface Overdue {
  readonly slug: string;
  readonly last: Date | null;
  readonly overdue: number;
}
interface Running {
  readonly step: string;
  readonly versions: string[];
}

const mostNamed = 20;

/** Ready tenants of which the backup's probe saw none within a day; none counts that has itself been there for less. */
const readOverdueBackups = async ({ pool, tables }: Db): Promise<Overview["backups"]> => {
  const { rows } = await ofWorkers<{ rows: Overdue[] }>(
    pool.query<Overdue>(
      `SELECT t.slug, (p.facts->>'backup.lastBackupAt')::timestamptz AS last, (count(*) OVER ())::int AS overdue
         FROM worker.probes p JOIN ${tables.tenants} t USING (tenant_id)
        WHERE p.step = 'backup' AND p.checked_at IS NOT NULL AND t.created_at < now() - interval '1 day'
          AND coalesce((p.facts->>'backup.lastBackupAt')::timestamptz, 'epoch') < now() - interval '1 day'
        ORDER BY last NULLS FIRST LIMIT ${mostNamed}`,
    ),
    { rows: [] },
  );
  return {
    overdue: rows[0]?.overdue ?? 0,
    tenants: rows.map(({ slug, last }) => ({ slug, lastBackupAt: last?.toISOString() ?? null })),
  };
};

/** The versions of the worker processes that live, by step. */
const readVersions = async ({ pool }: Db): Promise<Map<string, string[]>> => {
  const { rows } = await ofWorkers<{ rows: Running[] }>(
    pool.query<Running>(
      `SELECT step, array_agg(version) AS versions FROM worker.processes
        WHERE step IS NOT NULL AND worker.lives(process) GROUP BY step ORDER BY step`,
    ),
    { rows: [] },
    { newer: true },
  );
  return new Map(rows.map(({ step, versions }) => [step, versions]));
};
