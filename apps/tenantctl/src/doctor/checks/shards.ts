import { type Check, type Finding, problem, warning } from "../check.ts";
import { inControlDatabase } from "../control-database.ts";
import { type Patient, someOf, startAgain, tenantctl } from "../patient.ts";

interface Stopped {
  readonly shard: number;
  readonly stream: "requests" | "replies";
  readonly reason: string;
}

interface Sagas {
  readonly overdue: number;
  readonly stuck: readonly string[];
  readonly unfinished: number;
}

/** Every partition is read, no saga is stuck, and none waits for a timer that nobody runs. */
export const shards: Check = {
  name: "shards",
  needs: ["postgres"],
  unanswered: ({ installation }) =>
    `docker restart ${installation}-saga-orchestrator    (it makes its tables at its start)`,
  examine: (patient) =>
    inControlDatabase(patient, async (db) => {
      const { rows: stopped } = await db.query<Stopped>(
        `SELECT shard, 'requests' AS stream, requests_stopped AS reason FROM orchestrator.shards WHERE requests_stopped IS NOT NULL
         UNION ALL
         SELECT shard, 'replies', replies_stopped FROM orchestrator.shards WHERE replies_stopped IS NOT NULL`,
      );
      const { rows } = await db.query<Sagas>(
        `SELECT count(*) FILTER (WHERE next_due < now() - interval '1 minute')::int AS overdue,
           COALESCE(array_agg(slug ORDER BY slug) FILTER (WHERE status = 'stuck'), '{}') AS stuck,
           count(*)::int AS unfinished
         FROM orchestrator.sagas WHERE status NOT IN ('ready', 'done', 'undone', 'closed')`,
      );
      const sagas = rows[0] ?? { overdue: 0, stuck: [], unfinished: 0 };
      return {
        seen: `${sagas.unfinished} unfinished sagas, ${stopped.length} stopped partitions`,
        findings: [
          ...stopped.map(({ shard, stream, reason }) =>
            problem(
              `${stream} of shard ${shard} are read no more: ${reason}`,
              `settle what diverged (docs/disaster-recovery.md), then: ${tenantctl(patient, `shards accept ${shard} --stream ${stream} --reason "..."`)}`,
            ),
          ),
          ...sagaFindings(sagas, patient),
        ],
      };
    }),
};

const sagaFindings = ({ overdue, stuck }: Sagas, patient: Patient): readonly Finding[] => [
  ...(stuck.length === 0
    ? []
    : [
        warning(
          `${stuck.length} sagas wait for an operator: ${someOf(stuck)}`,
          `${tenantctl(patient, `saga ${stuck[0]}`)}; when the reason is gone: ${tenantctl(patient, `retry ${stuck[0]}`)}`,
        ),
      ]),
  ...(overdue === 0
    ? []
    : [
        problem(
          `${overdue} sagas wait for a timer that ran out more than a minute ago: no orchestrator runs them`,
          startAgain(patient, ["saga-orchestrator"]),
        ),
      ]),
];
