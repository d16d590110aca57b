/** Before anything starts: no port that the stack publishes is somebody else's. */
import { isTaken } from "../../libs/service/src/listening-process.ts";
import { lines } from "./command.ts";
import { portHolder } from "./port-holder.ts";
import { type Ports, portVariable, type ServiceName, services } from "./ports.ts";
import type { StateFolder } from "./state-folder.ts";

const published: { readonly [container: string]: ServiceName } = {
  kafka: "kafka",
  "schema-registry": "schemaRegistry",
  postgres: "postgres",
  redis: "redis",
  minio: "minio",
  "identity-api": "identity",
  "saga-orchestrator": "api",
};

/** Throws one message that names every taken port, who has it, and the variable that changes it. */
export async function checkPorts(
  state: StateFolder,
  ports: Ports,
  starting: readonly string[],
): Promise<void> {
  const running = await lines("docker", ["ps", "--format", "{{.Names}} {{.Ports}}"]);
  const isOurs = (service: string, port: number) =>
    running.some((row) => row.startsWith(`${state.installation}-${service} `) && row.includes(`:${port}->`));
  const problems: string[] = [];
  for (const [service, name] of Object.entries(published)) {
    if (!starting.includes(service) || isOurs(service, ports[name])) continue;
    if (await isTaken(ports[name])) {
      problems.push(
        `Port ${ports[name]} (${services[name].title}) is taken by ${await portHolder(ports[name])}: ` +
          `stop it, or choose another with ${portVariable(name)}=<port>.`,
      );
    }
  }
  if (problems.length > 0) throw new Error(problems.join("\n"));
}
