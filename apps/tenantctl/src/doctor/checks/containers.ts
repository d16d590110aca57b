import type { ContainerVitals } from "@deeplens/containers";
import { labelNames } from "@deeplens/contracts";
import { type Check, type Finding, problem, warning } from "../check.ts";
import { npmStart, type Patient, someOf, tenantctl } from "../patient.ts";
import { companions, fleet, infrastructure } from "../services.ts";

/** The stack's containers and the tenants' are there, run, pass their own checks, and do not die again and again. */
export const containers: Check = {
  name: "containers",
  needs: ["engine"],
  unanswered: npmStart,
  examine: async (patient, signal) => {
    const { engine, installation } = patient;
    const all = await engine.containers({ [labelNames.installation]: installation }, { signal });
    const expected = [...infrastructure, ...fleet, ...companions].map(
      (service) => `${installation}-${service}`,
    );
    const missing = expected.filter((name) => !all.some((one) => one.name === name));
    return {
      seen: `${all.filter(({ running }) => running).length} of ${all.length + missing.length} run`,
      findings: [
        ...(missing.length === 0 ? [] : [problem(`not there: ${someOf(missing)}`, npmStart(patient))]),
        ...all.flatMap((one) => findingsOf(patient, one)),
      ],
    };
  },
};

const manyRestarts = 3;

const findingsOf = (patient: Patient, one: ContainerVitals): readonly Finding[] => {
  const { name } = one;
  if (one.outOfMemory)
    return [
      problem(
        `${name} was ended by the kernel: it needed more memory than its limit`,
        forMemory(patient, one),
      ),
    ];
  if (!one.running)
    return [
      problem(
        `${name} does not run: ${one.status}`,
        `docker ${one.status.includes("Paused") ? "unpause" : "start"} ${name}`,
      ),
    ];
  if (one.health === "unhealthy")
    return [
      problem(
        `${name} runs and is not healthy${one.complaint === "" ? "" : `: ${one.complaint}`}`,
        `docker logs --tail 50 ${name}; docker restart ${name}`,
      ),
    ];
  if (one.restarts >= manyRestarts)
    return [warning(`${name} was restarted ${one.restarts} times`, `docker logs --tail 100 ${name}`)];
  return [];
};

const forMemory = (patient: Patient, { name, labels }: ContainerVitals): string => {
  const tenant = labels[labelNames.tenant];
  return tenant === undefined
    ? `docker start ${name}    (then raise its mem_limit in docker-compose.yml)`
    : `docker start ${name}    (then give the tenant a larger tier: ${tenantctl(patient, `tier ${tenant} professional`)})`;
};
