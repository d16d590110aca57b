import type { Check } from "../check.ts";
import { warning } from "../check.ts";
import { npmStart } from "../patient.ts";

/** The container engine answers, and is none older than the stack needs. */
export const engine: Check = {
  name: "engine",
  needs: [],
  unanswered: (patient) => `${npmStart(patient)}    (starts it; or: systemctl start docker)`,
  examine: async ({ engine }, signal) => {
    const about = await engine.about({ signal });
    const [major = 0] = about.version.split(".").map(Number);
    return {
      seen: `${about.name} ${about.version} at ${engine.address}`,
      findings:
        about.name === "Docker" && major < 20
          ? [warning(`Docker ${about.version} is older than 20.10`, "apt-get install docker.io")]
          : [],
    };
  },
};
