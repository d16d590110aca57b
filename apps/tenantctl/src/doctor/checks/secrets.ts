import { statSync } from "node:fs";
import { type MasterKey, parseMasterKey } from "@deeplens/secrets";
import { type Check, type Finding, problem, warning } from "../check.ts";
import { inControlDatabase } from "../control-database.ts";
import { npmStart, type Patient, passwordIn, tenantctl } from "../patient.ts";

/** The files with passwords are there and private, and the master key opens every stored secret. */
export const secrets: Check = {
  name: "secrets",
  needs: ["postgres"],
  unanswered: (patient) => `${npmStart(patient)}    (makes missing password files and tables)`,
  examine: async (patient) => {
    const key = parseMasterKey(passwordIn(patient.stack.masterKeyFile));
    const versions = await inControlDatabase(patient, async (db) => {
      const { rows } = await db.query<Version>(
        `SELECT key_version AS version, count(*)::int AS secrets FROM secrets.secrets GROUP BY 1 ORDER BY 1`,
      );
      return rows;
    });
    const count = versions.reduce((sum, one) => sum + one.secrets, 0);
    return {
      seen: `${count} secrets, master key ${key.current}`,
      findings: [
        ...filesOf(patient).flatMap((file) => privacy(patient, file)),
        ...keyFindings(patient, key, versions),
      ],
    };
  },
};

interface Version {
  readonly version: string;
  readonly secrets: number;
}

const filesOf = ({ stack }: Patient): readonly string[] => [
  ...new Set([
    stack.masterKeyFile,
    stack.api.tokenFile,
    ...[stack.kafka, stack.controlDb, stack.tenantDb, stack.redis, stack.minio].map(
      ({ passwordFile }) => passwordFile,
    ),
  ]),
];

const privacy = (patient: Patient, file: string): readonly Finding[] => {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) return [problem(`the file ${file} is not there`, npmStart(patient))];
  return (mode & 0o077) === 0 ? [] : [warning(`others than its owner may read ${file}`, `chmod 600 ${file}`)];
};

const keyFindings = (patient: Patient, key: MasterKey, versions: readonly Version[]): readonly Finding[] =>
  versions.flatMap(({ version, secrets }) => {
    const { masterKeyFile } = patient.stack;
    if (!key.keys.has(version))
      return [
        problem(
          `${secrets} secrets are under master key ${version}, which ${masterKeyFile} does not hold`,
          `put the line ${version}:... back into ${masterKeyFile}, from its backup`,
        ),
      ];
    return version === key.current
      ? []
      : [
          warning(
            `${secrets} secrets are still under the older master key ${version}`,
            tenantctl(patient, "keys rotate-master --resume"),
          ),
        ];
  });
