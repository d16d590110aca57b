import { statSync } from "node:fs";
import { type KeysInUse, keysInUse, type MasterKey, parseMasterKey } from "@deeplens/secrets";
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
    const { versions } = await inControlDatabase(patient, (db) => keysInUse(db, key));
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

const keyFindings = (patient: Patient, key: MasterKey, versions: KeysInUse["versions"]): readonly Finding[] =>
  versions
    .filter(({ version, secrets }) => secrets > 0 && version !== key.current)
    .map(({ version, known, secrets }) =>
      known
        ? warning(
            `${secrets} secrets are still under the older master key ${version}`,
            tenantctl(patient, "keys rotate-master --resume"),
          )
        : problem(
            `${secrets} secrets are under master key ${version}, which ${patient.stack.masterKeyFile} does not hold`,
            `put the line ${version}:... back into ${patient.stack.masterKeyFile}, from its backup`,
          ),
    );
