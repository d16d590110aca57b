/** Which ports the stack listens on: configured, else remembered, else the defaults; and who has a taken one. */
import { join } from "node:path";
import { readJson, type StateFolder, writePrivateFile } from "./state-folder.ts";

export const services = {
  kafka: { title: "Kafka", port: 9092 },
  schemaRegistry: { title: "Schema registry", port: 8081 },
  postgres: { title: "PostgreSQL", port: 5432 },
  redis: { title: "Redis", port: 6379 },
  minio: { title: "MinIO", port: 9000 },
  identity: { title: "Identity API", port: 5198 },
  api: { title: "Tenant API", port: 8090 },
  qdrantHttp: { title: "Qdrant, HTTP, from", port: 6433 },
  qdrantGrpc: { title: "Qdrant, gRPC, from", port: 6434 },
} as const;

export type ServiceName = keyof typeof services;
export type Ports = { readonly [name in ServiceName]: number };

/** Names in order, as a list that keeps its type. */
export const serviceNames = Object.keys(services) as readonly ServiceName[];

/** `schemaRegistry` is set by DEEPLENS_PORT_SCHEMA_REGISTRY. */
export const portVariable = (name: ServiceName): string =>
  `DEEPLENS_PORT_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

/**
 * Chooses a port for every service. in: the environment, what was chosen before, and what is added to the defaults
 * for an installation beside the person's own. Throws with the variable's name when one is no port.
 */
export function choosePorts(
  environment: NodeJS.ProcessEnv,
  remembered: Partial<Ports>,
  offset: number,
): Ports {
  const entries = serviceNames.map((name) => {
    const asked = environment[portVariable(name)];
    const port = asked ? Number(asked) : (remembered[name] ?? services[name].port + offset);
    if (!Number.isInteger(port) || port < 1 || port > 65535) {
      throw new Error(`${portVariable(name)} is "${asked ?? port}", which is no port: set it to 1 to 65535.`);
    }
    return [name, port] as const;
  });
  const twice = entries.find(([, port], index) => entries.findIndex(([, other]) => other === port) !== index);
  if (twice) {
    throw new Error(`Port ${twice[1]} is asked for twice: give ${portVariable(twice[0])} another one.`);
  }
  return Object.fromEntries(entries) as Ports;
}

/** The ports of the installation. The test installation's lie 20,000 above the defaults. */
export function installationPorts(state: StateFolder): Ports {
  const remembered = (readJson(portsFile(state)) ?? {}) as Partial<Ports>;
  return choosePorts(process.env, remembered, portOffset(state.installation));
}

/** Keeps them for the next start: called once they are known to be free, so that a bad choice is not kept. */
export function rememberPorts(state: StateFolder, ports: Ports): void {
  writePrivateFile(portsFile(state), `${JSON.stringify(ports, null, 2)}\n`);
}

const portsFile = (state: StateFolder): string => join(state.path, "ports.json");

/** DEEPLENS_PORT_OFFSET moves all ports at once. */
export function portOffset(installation: string): number {
  const asked = process.env.DEEPLENS_PORT_OFFSET || (installation === "deeplens-test" ? "20000" : "0");
  if (!/^\d{1,5}$/.test(asked))
    throw new Error(
      `DEEPLENS_PORT_OFFSET is "${asked}": set it to a whole number that is added to all ports.`,
    );
  return Number(asked);
}
