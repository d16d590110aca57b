import { type Check, type Finding, problem, warning } from "../check.ts";
import { inTenantPostgres } from "../control-database.ts";
import { type Patient, restart, tenantctl } from "../patient.ts";

interface Row {
  readonly version: string;
  readonly used: number;
  readonly most: number;
  readonly control: boolean;
}

interface Full {
  readonly database: string;
  readonly used: number;
  readonly most: number;
}

const oldestMajor = 15;

/** Postgres takes the administrator's login, has the control database, and connections left: in all, and by tenant. */
export const postgres: Check = {
  name: "postgres",
  needs: [],
  unanswered: (patient) => restart(patient, "postgres"),
  examine: (patient) =>
    inTenantPostgres(patient, async (db) => {
      const { rows } = await db.query<Row>(
        `SELECT current_setting('server_version') AS version,
           (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
           current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS most,
           EXISTS (SELECT FROM pg_database WHERE datname = $1) AS control`,
        [patient.stack.controlDb.database],
      );
      const { rows: full } = await db.query<Full>(
        `SELECT d.datname AS database, count(*)::int AS used, d.datconnlimit AS most
         FROM pg_database d JOIN pg_stat_activity a USING (datname)
         WHERE d.datconnlimit > 0 GROUP BY 1, 3 HAVING count(*) >= 0.9 * d.datconnlimit ORDER BY 1`,
      );
      const row = rows[0];
      if (row === undefined) throw new Error("Postgres answered nothing");
      return {
        seen: `${row.version.split(" ")[0]}, ${row.used} of ${row.most} connections`,
        findings: [
          ...(row.control
            ? []
            : [
                problem(
                  `the control database ${patient.stack.controlDb.database} is not there`,
                  "restore it from its backup: docs/disaster-recovery.md",
                ),
              ]),
          ...(Number.parseInt(row.version, 10) >= oldestMajor
            ? []
            : [warning(`Postgres ${row.version} is older than ${oldestMajor}`, "upgrade it (pg_upgrade)")]),
          ...connectionsOf(row),
          ...full.map((one) => nearItsLimit(patient, one)),
        ],
      };
    }),
};

/** Says when the server's connections run out. */
export const connectionsOf = ({ used, most }: { used: number; most: number }): readonly Finding[] => {
  const what = `${used} of the server's ${most} connections are in use`;
  const mend =
    "who has them: SELECT datname, usename, state, count(*) FROM pg_stat_activity GROUP BY 1, 2, 3; then end the idle ones, or raise max_connections in docker-compose.yml and run npm start";
  if (used >= 0.95 * most) return [problem(what, mend)];
  return used >= 0.8 * most ? [warning(what, mend)] : [];
};

const nearItsLimit = (patient: Patient, { database, used, most }: Full): Finding =>
  warning(
    `database ${database} has ${used} of its ${most} connections in use`,
    `close idle connections of its application, or give the tenant a larger tier: ${tenantctl(patient, "tier <name> <tier>")}`,
  );
