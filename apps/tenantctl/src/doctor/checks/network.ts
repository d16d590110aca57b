import { labelNames } from "@deeplens/contracts";
import { type Check, problem } from "../check.ts";
import { npmStart } from "../patient.ts";

/** The installation's network, which every container joins. */
export const network: Check = {
  name: "network",
  needs: ["engine"],
  unanswered: npmStart,
  examine: async (patient, signal) => {
    const { engine, stack, installation } = patient;
    const labels = await engine.network(stack.network, { signal });
    const whose = labels?.[labelNames.installation];
    if (labels === undefined)
      return {
        seen: "missing",
        findings: [problem(`the network ${stack.network} is not there`, npmStart(patient))],
      };
    return {
      seen: stack.network,
      findings:
        whose === installation
          ? []
          : [
              problem(
                `the network ${stack.network} is not this installation's (label ${labelNames.installation}: ${whose ?? "none"})`,
                `docker network rm ${stack.network}; ${npmStart(patient)}`,
              ),
            ],
    };
  },
};
