import type { ContainerCreateOptions, ContainerInspectInfo, ContainerStats, PortMap } from "dockerode";
import type { ContainerLimits, ContainerSight, ContainerSpec, PublishedPort } from "./engine.ts";

/** A container as Docker's API takes it. */
export const toCreateOptions = (spec: ContainerSpec): ContainerCreateOptions => ({
  name: spec.name,
  Image: spec.image,
  Labels: { ...spec.labels },
  ...(spec.command && { Cmd: [...spec.command] }),
  Env: Object.entries(spec.environment ?? {}).map(([name, value]) => `${name}=${value}`),
  ExposedPorts: Object.fromEntries(spec.ports.map((port) => [`${port.container}/tcp`, {}])),
  HostConfig: {
    NetworkMode: spec.network,
    // A volume that is missing is made with the container: then it too says whose it is, so that a call that took
    // effect after its undo leaves nothing that no second look finds.
    Mounts: spec.volumes.map(({ name, path }) => ({
      Type: "volume",
      Source: name,
      Target: path,
      VolumeOptions: {
        NoCopy: false,
        Labels: { ...spec.labels },
        DriverConfig: { Name: "local", Options: {} },
      },
    })),
    PortBindings: Object.fromEntries(
      spec.ports.map((port) => [
        `${port.container}/tcp`,
        [{ HostIp: port.address, HostPort: String(port.host) }],
      ]),
    ),
    RestartPolicy: { Name: "unless-stopped" },
    ...toLimits(spec.limits),
    SecurityOpt: ["no-new-privileges"],
    // What a tenant's container writes never fills the disk.
    LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
  },
});

/** Limits as Docker's API takes them, for a new container or one that is there. */
export const toLimits = ({ memoryBytes, cpus, pids }: ContainerLimits) => ({
  Memory: memoryBytes,
  // Equal to Memory: no swap on top.
  MemorySwap: memoryBytes,
  NanoCpus: Math.round(cpus * 1e9),
  PidsLimit: pids,
});

/** What of a container's memory in use can't be given back: pages of files can. */
export const memoryInUseOf = ({ memory_stats: memory }: Partial<ContainerStats>): number => {
  const stats: { readonly inactive_file?: number; readonly total_inactive_file?: number } =
    memory?.stats ?? {};
  return Math.max(0, (memory?.usage ?? 0) - (stats.inactive_file ?? stats.total_inactive_file ?? 0));
};

// What Go writes for a time that never was.
const never = "0001-01-01T00:00:00Z";

/** A container as the port tells of it. */
export const toSight = (info: ContainerInspectInfo): ContainerSight => {
  const startedOnce = info.State.StartedAt !== never && info.State.StartedAt !== "";
  return {
    id: info.Id,
    name: info.Name.replace(/^\//, ""),
    image: info.Config.Image,
    labels: info.Config.Labels ?? {},
    state: stateOf(info.State, startedOnce),
    startedOnce,
    ports: toPorts(info.HostConfig.PortBindings),
    exitCode: startedOnce ? info.State.ExitCode : undefined,
  };
};

const stateOf = (
  { Running, Restarting }: { Running: boolean; Restarting: boolean },
  startedOnce: boolean,
): ContainerSight["state"] => {
  if (Restarting) return "restarting";
  if (Running) return "running";
  return startedOnce ? "stopped" : "created";
};

/** What a container publishes, running or not. */
export const toPorts = (bindings: PortMap | null | undefined): PublishedPort[] =>
  Object.entries(bindings ?? {}).flatMap(([container, published]) =>
    (published ?? []).map((port) => ({
      container: Number.parseInt(container, 10),
      address: port.HostIp ?? "",
      host: Number(port.HostPort),
    })),
  );
