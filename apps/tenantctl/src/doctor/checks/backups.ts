import { type Check, type Finding, warning } from "../check.ts";
import { inControlDatabase } from "../control-database.ts";
import { type Patient, someOf, tenantctl } from "../patient.ts";

interface Seen {
  readonly slug: string;
  readonly backups: boolean;
  readonly copies: boolean;
  readonly reason: string | null;
}

/** Each tenant's backups are well, and so are their copies in the backup bucket, as the last look at them found. */
export const backups: Check = {
  name: "backups",
  needs: ["postgres"],
  unanswered: ({ installation }) =>
    `docker restart ${installation}-backup-worker    (it makes its tables at its start)`,
  examine: (patient) =>
    inControlDatabase(patient, async (db) => {
      const { rows } = await db.query<Seen>(
        `SELECT slug, reason, COALESCE(facts->>'backup.ok', 'true') = 'true' AS backups,
           COALESCE(facts->>'copies.ok', 'true') = 'true' AS copies
         FROM worker.probes WHERE step = 'backup' AND checked_at IS NOT NULL ORDER BY slug`,
      );
      return {
        seen: `the backups of ${rows.length} tenants were looked at`,
        findings: findingsOf(rows, patient),
      };
    }),
};

const findingsOf = (rows: readonly Seen[], patient: Patient): readonly Finding[] => {
  const told = (what: string, ill: readonly Seen[], mend: string): readonly Finding[] =>
    ill[0] === undefined
      ? []
      : [
          warning(
            `${what} of ${ill.length} tenants is ill: ${someOf(ill.map(({ slug }) => slug))} (${ill[0].reason})`,
            `${tenantctl(patient, `health ${ill[0].slug}`)}; ${mend}`,
          ),
        ];
  return [
    ...told(
      "the backup",
      rows.filter((one) => !one.backups),
      `when the reason is gone: ${tenantctl(patient, "backup <name>")}`,
    ),
    ...told(
      "the copy in the backup bucket",
      rows.filter((one) => one.backups && !one.copies),
      `docker logs --tail 50 ${patient.installation}-backup-worker`,
    ),
  ];
};
