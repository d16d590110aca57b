import { type Check, problem } from "../check.ts";
import { restart } from "../patient.ts";

/** The schema registry answers and has the installation's schemas. */
export const registry: Check = {
  name: "registry",
  needs: [],
  unanswered: (patient) => restart(patient, "schema-registry"),
  examine: async (patient, signal) => {
    const { url } = patient.stack.schemaRegistry;
    const response = await fetch(`${url}/subjects`, { signal });
    if (!response.ok) throw new Error(`the schema registry at ${url} answers ${response.status}`);
    const subjects = ((await response.json()) as string[]).filter((subject) =>
      subject.startsWith(`${patient.installation}.`),
    );
    return {
      seen: `${subjects.length} subjects`,
      findings:
        subjects.length > 0
          ? []
          : [
              problem(
                "the schema registry has no schema of this installation",
                `docker restart ${patient.installation}-saga-orchestrator    (it registers them at its start)`,
              ),
            ],
    };
  },
};
