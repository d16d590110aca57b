import type { ContainerEngine } from "../engine.ts";

// cgroups of the first version, and of the second.
const script = `
  cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/memory.max
  cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cat /sys/fs/cgroup/cpu.max
  cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max`;

/** The limits of a running container as they hold inside, whatever the engine says of them. */
export const limitsInside = async (
  engine: Pick<ContainerEngine, "exec">,
  container: string,
): Promise<{ memoryBytes: number; cpus: number; pids: number }> => {
  const { stdout } = await engine.exec(container, ["sh", "-c", script]);
  const [memory, cpu, pids] = stdout.trim().split("\n");
  // The period is 100 ms unless told.
  return { memoryBytes: Number(memory), cpus: Number.parseInt(cpu ?? "", 10) / 100_000, pids: Number(pids) };
};
