import { ApiProblem, createApiClient } from "@deeplens/client/api";
import { type Check, problem } from "../check.ts";
import { passwordIn, restart } from "../patient.ts";

/** The orchestrator's API answers, and takes the installation's token. */
export const orchestrator: Check = {
  name: "orchestrator",
  needs: [],
  unanswered: (patient) => restart(patient, "saga-orchestrator"),
  examine: async ({ stack, installation }) => {
    const { url, tokenFile } = stack.api;
    try {
      await createApiClient({ url, token: passwordIn(tokenFile), actor: "doctor" }).shards();
      return { seen: `answers at ${url}`, findings: [] };
    } catch (error) {
      if (!(error instanceof ApiProblem) || error.problem.status !== 401) throw error;
      return {
        seen: "refuses the token",
        findings: [
          problem(
            `the API at ${url} refuses the token in ${tokenFile}`,
            `docker restart ${installation}-saga-orchestrator    (it reads the file at its start)`,
          ),
        ],
      };
    }
  },
};
