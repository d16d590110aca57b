import { labelNames } from "@deeplens/contracts";
import { type Check, type Finding, problem, warning } from "../check.ts";
import { type Patient, tenantctl } from "../patient.ts";

/** Tenants' Qdrants have memory left: one that has none is ended by the kernel, and its tenant's searches fail. */
export const qdrant: Check = {
  name: "qdrant",
  needs: ["engine"],
  unanswered: () => "docker stats --no-stream",
  examine: async (patient, signal) => {
    const { engine, installation } = patient;
    const all = await engine.containers(
      { [labelNames.installation]: installation, [labelNames.service]: "qdrant" },
      { signal },
    );
    const running = all.filter((one) => one.running);
    const memories = await Promise.all(running.map(({ name }) => engine.memory(name, { signal })));
    return {
      seen: `${running.length} of ${all.length} run`,
      findings: running.flatMap(({ name, labels }, index) => {
        const memory = memories[index];
        return memory === undefined
          ? []
          : memoryFindings(patient, name, labels[labelNames.tenant] ?? name, memory);
      }),
    };
  },
};

const mib = 1024 ** 2;

const memoryFindings = (
  patient: Patient,
  name: string,
  tenant: string,
  { usedBytes, limitBytes }: { usedBytes: number; limitBytes: number },
): readonly Finding[] => {
  const share = limitBytes === 0 ? 0 : usedBytes / limitBytes;
  const what = `${name} uses ${Math.round(usedBytes / mib)} of its ${Math.round(limitBytes / mib)} MiB`;
  const mend = `a larger tier gives it more: ${tenantctl(patient, `tier ${tenant} professional`)}`;
  if (share >= 0.95) return [problem(what, mend)];
  return share >= 0.85 ? [warning(what, mend)] : [];
};
