/**
 * What can be learnt of an engine and its containers without changing anything: for whoever looks after them, not for
 * whoever makes them. Calls are bounded and fail as ContainerEngine's do.
 */
import Docker from "dockerode";
import { parseEngineAddress } from "./address.ts";
import { boundedCalls } from "./bounded.ts";
import { memoryInUseOf, toPorts } from "./docker-spec.ts";
import type { CallOptions, Labels, PublishedPort } from "./engine.ts";
import { statusOf } from "./errors.ts";

export interface EngineObserver {
  /** The engine's address, as a person writes it. */
  readonly address: string;
  about(call?: CallOptions): Promise<EngineAbout>;
  /** Labels of the network of that name, or undefined. */
  network(name: string, call?: CallOptions): Promise<Labels | undefined>;
  /** Whether the engine has the image. */
  hasImage(reference: string, call?: CallOptions): Promise<boolean>;
  /** Every container, running or not, that bears all these labels, by name. */
  containers(labels: Labels, call?: CallOptions): Promise<readonly ContainerVitals[]>;
  /** The running container that publishes this port of the engine's machine, or undefined. */
  publisher(port: number, call?: CallOptions): Promise<string | undefined>;
  /** How much memory a running container holds (without the page cache), and its limit, in bytes. */
  memory(container: string, call?: CallOptions): Promise<{ usedBytes: number; limitBytes: number }>;
}

export interface EngineAbout {
  readonly name: string;
  readonly version: string;
  /** The engine's clock, when it answered. */
  readonly time: Date;
  /** Where it keeps its data, on its own machine. */
  readonly folder: string;
  readonly memoryBytes: number;
  readonly warnings: readonly string[];
}

export interface ContainerVitals {
  readonly name: string;
  readonly labels: Labels;
  readonly image: string;
  /** Not while it is paused. */
  readonly running: boolean;
  /** In the engine's own words: `Up 3 minutes (unhealthy)`, `Exited (137) 2 hours ago`. */
  readonly status: string;
  readonly health: "none" | "starting" | "healthy" | "unhealthy";
  readonly ports: readonly PublishedPort[];
  readonly restarts: number;
  /** The kernel ended it for its memory, the last time that it ended. */
  readonly outOfMemory: boolean;
  /** The last lines that its health check wrote, where it fails. */
  readonly complaint: string;
}

/** Docker, or what speaks its API, at the address that DOCKER_HOST names. @throws Error where that is no address */
export const dockerObserver = (options: { host?: string | undefined } = {}): EngineObserver => {
  const address = parseEngineAddress(options.host);
  const docker = new Docker(address.options);
  const bounded = boundedCalls(address.text);

  const vitals = async (name: string, status: string): Promise<ContainerVitals | undefined> => {
    const info = await unlessMissing(docker.getContainer(name).inspect());
    if (info === undefined) return undefined; // removed since it was listed
    const { State: state } = info;
    return {
      name,
      labels: info.Config.Labels ?? {},
      image: info.Config.Image,
      running: state.Running && !state.Paused,
      status,
      health: healthOf(state.Health),
      ports: toPorts(info.HostConfig.PortBindings),
      restarts: info.RestartCount,
      outOfMemory: state.OOMKilled,
      complaint: state.Health?.Log?.at(-1)?.Output.trim().slice(-300) ?? "",
    };
  };

  return {
    address: address.text,
    about: (call) =>
      bounded("ask the engine about itself", call, async () => {
        const [info, version] = await Promise.all([docker.info(), docker.version()]);
        return {
          name: /podman/i.test(JSON.stringify(version.Components ?? [])) ? "Podman" : "Docker",
          version: version.Version,
          time: new Date(info.SystemTime),
          folder: info.DockerRootDir,
          memoryBytes: info.MemTotal,
          warnings: info.Warnings ?? [],
        };
      }),
    network: (name, call) =>
      bounded(`look for network ${name}`, call, async () => {
        const info = await unlessMissing(docker.getNetwork(name).inspect());
        return info === undefined ? undefined : ((info as { Labels?: Labels }).Labels ?? {});
      }),
    hasImage: (reference, call) =>
      bounded(
        `look for image ${reference}`,
        call,
        async () => (await unlessMissing(docker.getImage(reference).inspect())) !== undefined,
      ),
    containers: (labels, call) =>
      bounded("look at the containers", call, async () => {
        const label = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
        const listed = await docker.listContainers({ all: true, filters: { label } });
        const seen = await Promise.all(
          listed.map((one) => vitals(one.Names[0]?.replace(/^\//, "") ?? one.Id, one.Status)),
        );
        return seen
          .filter((one) => one !== undefined)
          .sort((one, other) => one.name.localeCompare(other.name));
      }),
    publisher: (port, call) =>
      bounded(`ask who publishes port ${port}`, call, async () => {
        const [found] = await docker.listContainers({ filters: { publish: [String(port)] } });
        return found?.Names[0]?.replace(/^\//, "");
      }),
    memory: (container, call) =>
      bounded(`ask for the memory of container ${container}`, call, async () => {
        const stats = await docker.getContainer(container).stats({ stream: false, "one-shot": true });
        return { usedBytes: memoryInUseOf(stats), limitBytes: stats.memory_stats.limit ?? 0 };
      }),
  };
};

// Docker calls a container that was paused unhealthy until its next check, which has not failed.
const healthOf = (
  health: { readonly Status: string; readonly FailingStreak: number } | undefined,
): ContainerVitals["health"] => {
  switch (health?.Status) {
    case "healthy":
    case "starting":
      return health.Status;
    case "unhealthy":
      return health.FailingStreak === 0 ? "starting" : "unhealthy";
    default:
      return "none";
  }
};

const unlessMissing = async <T>(answer: Promise<T>): Promise<T | undefined> => {
  try {
    return await answer;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
};
