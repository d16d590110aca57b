import { labelNames } from "@deeplens/contracts";
import { isTaken, listeningProcess } from "@deeplens/service";
import { type Check, type Finding, problem } from "../check.ts";
import { npmStart, type Patient } from "../patient.ts";

/** No port that a container of the installation is to publish is somebody else's. */
export const ports: Check = {
  name: "ports",
  needs: ["engine"],
  unanswered: npmStart,
  examine: async (patient, signal) => {
    const { engine, installation } = patient;
    const all = await engine.containers({ [labelNames.installation]: installation }, { signal });
    const running = new Set(
      all.filter((one) => one.running).flatMap((one) => one.ports.map(({ host }) => host)),
    );
    const wanted = new Map<number, Wish>();
    for (const wish of stackPorts(patient)) wanted.set(wish.port, wish);
    for (const { name, labels, ports } of all)
      if (labels[labelNames.tenant] !== undefined)
        for (const { host } of ports) wanted.set(host, { port: host, title: name, mend: tenantMend(name) });
    const findings: Finding[] = [];
    for (const { port, title, mend } of wanted.values()) {
      if (running.has(port) || !(await isTaken(port))) continue;
      const holder = await holderOf(patient, port, signal);
      findings.push(problem(`port ${port} of ${title} is taken by ${holder.who}`, `${holder.stop}${mend}`));
    }
    return { seen: `${wanted.size} ports, ${findings.length} taken by others`, findings };
  },
};

interface Wish {
  readonly port: number;
  readonly title: string;
  readonly mend: string;
}

const stackPorts = (patient: Patient): readonly Wish[] => {
  const { stack } = patient;
  const portIn = (url: string): number => Number(new URL(url).port);
  const wish = (title: string, port: number, variable: string): Wish => ({
    port,
    title,
    mend: `; ${npmStart(patient)}    (or another port: DEEPLENS_PORT_${variable}=<port> ${npmStart(patient)})`,
  });
  return [
    wish("Kafka", Number(stack.kafka.brokers[0]?.split(":").at(-1)), "KAFKA"),
    wish("the schema registry", portIn(stack.schemaRegistry.url), "SCHEMA_REGISTRY"),
    wish("PostgreSQL", stack.controlDb.port, "POSTGRES"),
    wish("Redis", stack.redis.port, "REDIS"),
    wish("MinIO", portIn(stack.minio.endpoint), "MINIO"),
    wish("the Identity API", portIn(stack.identity.url), "IDENTITY"),
    wish("the tenant API", portIn(stack.api.url), "API"),
  ];
};

const tenantMend = (container: string): string => `; docker start ${container}`;

const holderOf = async (
  { engine }: Patient,
  port: number,
  signal: AbortSignal,
): Promise<{ who: string; stop: string }> => {
  const container = await engine.publisher(port, { signal });
  if (container !== undefined) return { who: `the container ${container}`, stop: `docker stop ${container}` };
  const process = listeningProcess(port);
  return process === undefined
    ? { who: "a process that can't be seen from here", stop: `ss -ltnp 'sport = :${port}'` }
    : { who: `the process ${process.name} (pid ${process.pid})`, stop: `kill ${process.pid}` };
};
