/** Names who holds a port, as far as it can be told: a container, else a process from /proc. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { capture } from "./command.ts";

/** "the container X" or "the process Y (pid 1)" or "a process that can't be seen from here". */
export async function portHolder(port: number): Promise<string> {
  // Where the engine does not answer, a process may still be named.
  const containers = await capture("docker", [
    "ps",
    "--filter",
    `publish=${port}`,
    "--format",
    "{{.Names}}",
  ]).catch(() => "");
  const name = containers.trim().split("\n")[0];
  if (name) return `the container ${name}`;
  const inode = listeningInode(port);
  const process = inode ? processWithSocket(inode) : undefined;
  return process ?? "a process that can't be seen from here";
}

function listeningInode(port: number): string | undefined {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    const line = read(table)
      .split("\n")
      .map((row) => row.trim().split(/\s+/))
      .find((columns) => columns[1]?.endsWith(`:${hex}`) && columns[3] === "0A");
    if (line?.[9]) return line[9];
  }
  return undefined;
}

function processWithSocket(inode: string): string | undefined {
  for (const pid of list("/proc").filter((entry) => /^\d+$/.test(entry))) {
    for (const descriptor of list(`/proc/${pid}/fd`)) {
      if (link(`/proc/${pid}/fd/${descriptor}`) === `socket:[${inode}]`) {
        return `the process ${read(`/proc/${pid}/comm`).trim()} (pid ${pid})`;
      }
    }
  }
  return undefined;
}

// Processes come and go and may be another user's: what can't be read is not there.
const attempt = <T>(work: () => T, otherwise: T): T => {
  try {
    return work();
  } catch {
    return otherwise;
  }
};
const read = (path: string): string => attempt(() => readFileSync(path, "utf8"), "");
const list = (path: string): string[] => attempt(() => readdirSync(path), []);
const link = (path: string): string => attempt(() => readlinkSync(path), "");
