import { readdir, readFile } from "node:fs/promises";
import Docker from "dockerode";

/** What does the work: processes of the fleet by name and id, and containers of the services. */
export interface Workforce {
  readonly processes: Readonly<Record<string, number>>;
  readonly containers: readonly string[];
}

const ticksPerSecond = 100; // USER_HZ: the same on every Linux that Node runs on.

/**
 * CPU that the workforce has used so far, in seconds, by name: /proc for processes, the engine's cgroups for containers.
 */
export const cpuSecondsOf = async ({ processes, containers }: Workforce): Promise<Record<string, number>> => {
  const ofProcesses = Object.entries(processes).map(
    async ([name, id]): Promise<[string, number]> => [name, (await cpuTimesOf(id)).own],
  );
  const ofContainers = containers.map(async (name): Promise<[string, number]> => {
    const stats = await new Docker().getContainer(name).stats({ stream: false, "one-shot": true });
    return [name, stats.cpu_stats.cpu_usage.total_usage / 1e9];
  });
  return Object.fromEntries(await Promise.all([...ofProcesses, ...ofContainers]));
};

/**
 * CPU that the engine has used so far to start processes in these containers (their health checks) and to hold their
 * output, in seconds, by name: of each container's shim, and of what it started itself. 0 under an engine without one.
 */
export const shimCpuSecondsOf = async (containers: readonly string[]): Promise<Record<string, number>> => {
  const ids = await Promise.all(
    containers.map(async (name) => [name, (await new Docker().getContainer(name).inspect()).Id] as const),
  );
  const found = Object.fromEntries(containers.map((name) => [name, 0]));
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const command = await readFile(`/proc/${entry}/cmdline`, "utf8").catch(() => ""); // it ended meanwhile
    const [name] = ids.find(([, id]) => command.includes("containerd-shim") && command.includes(id)) ?? [];
    if (name === undefined) continue;
    const { own, children } = await cpuTimesOf(Number(entry));
    found[name] = own + children;
  }
  return found;
};

/** In seconds, since its start; its children's that have ended. */
const cpuTimesOf = async (id: number): Promise<{ own: number; children: number }> => {
  const stat = await readFile(`/proc/${id}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const seconds = (first: number): number =>
    (Number(fields[first]) + Number(fields[first + 1])) / ticksPerSecond;
  return { own: seconds(11), children: seconds(13) };
};

/** Proportional set size in MB, by the name of the process or container. */
export const pssOf = async ({ processes, containers }: Workforce): Promise<Record<string, number>> => {
  const found: Record<string, number> = {};
  for (const [name, id] of Object.entries(processes)) found[name] = await pssOfProcess(id);
  for (const name of containers) {
    const { Titles, Processes } = await new Docker().getContainer(name).top();
    const column = Titles.indexOf("PID");
    const parts = await Promise.all(Processes.map((row: string[]) => pssOfProcess(Number(row[column]))));
    found[name] = parts.reduce((sum, one) => sum + one, 0);
  }
  return found;
};

/** Proportional set size in MB; 0 for a process that has ended. */
export const pssOfProcess = async (id: number): Promise<number> => {
  try {
    const rollup = await readFile(`/proc/${id}/smaps_rollup`, "utf8");
    return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) / 1_024;
  } catch (error) {
    // A connection's process ended between the list and the look.
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return 0;
    throw error;
  }
};
