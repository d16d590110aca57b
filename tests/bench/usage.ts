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

/**
 * What these processes hold in memory together, in MB, each page that they share counted once: their proportional set
 * sizes, were they alone on the machine.
 */
export const residentTogether = async (ids: readonly number[]): Promise<number> => {
  let ownKb = 0;
  const sharedKb = new Map<string, number>();
  for (const id of ids)
    for (const { file, residentKb, anonymousKb } of mappingsIn(await readFile(`/proc/${id}/smaps`, "utf8"))) {
      if (file === undefined) ownKb += residentKb;
      else {
        ownKb += anonymousKb;
        sharedKb.set(file, Math.max(sharedKb.get(file) ?? 0, residentKb - anonymousKb));
      }
    }
  return [...sharedKb.values()].reduce((sum, one) => sum + one, ownKb) / 1_024;
};

interface Mapping {
  /** Which part of which file; undefined where it is none. */
  readonly file: string | undefined;
  readonly residentKb: number;
  readonly anonymousKb: number;
}

/** What /proc/<id>/smaps tells: a line of addresses, rights, offset, device, inode and path, then the numbers. */
const mappingsIn = (smaps: string): Mapping[] =>
  smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).map((text) => {
    const [, , offset, device, inode] = text.split("\n", 1)[0]?.split(/ +/) ?? [];
    const kbOf = (name: string): number =>
      Number(new RegExp(`^${name}: +(\\d+) kB`, "m").exec(text)?.[1] ?? 0);
    return {
      file: inode === "0" ? undefined : `${device} ${inode} ${offset}`,
      residentKb: kbOf("Rss"),
      anonymousKb: kbOf("Anonymous"),
    };
  });

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
