import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { connect } from "node:net";

/** Whether somebody listens on a TCP port of this machine. @throws where neither an answer nor a refusal comes */
export const isTaken = (port: number): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, timeout: 1_000 });
    const taken = () => {
      socket.destroy();
      resolve(true);
    };
    socket
      .once("connect", taken)
      .once("timeout", taken)
      .once("error", (error: NodeJS.ErrnoException) =>
        error.code === "ECONNREFUSED" ? resolve(false) : reject(error),
      );
  });

/**
 * The process that listens on a TCP port of this machine, from /proc: its name and id, or undefined where nobody
 * listens, or where it can't be seen (another user's, another machine's, no /proc).
 */
export const listeningProcess = (port: number): { name: string; pid: number } | undefined => {
  const inode = listeningInode(port);
  return inode === undefined ? undefined : processWithSocket(inode);
};

// Of a line of the table: local address and port, state 0A for listening, the socket's inode.
const listeningInode = (port: number): string | undefined => {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    const line = read(table)
      .split("\n")
      .map((row) => row.trim().split(/\s+/))
      .find((columns) => columns[1]?.endsWith(`:${hex}`) && columns[3] === "0A");
    if (line?.[9] !== undefined) return line[9];
  }
  return undefined;
};

const processWithSocket = (inode: string): { name: string; pid: number } | undefined => {
  for (const pid of list("/proc").filter((entry) => /^\d+$/.test(entry)))
    for (const descriptor of list(`/proc/${pid}/fd`))
      if (link(`/proc/${pid}/fd/${descriptor}`) === `socket:[${inode}]`)
        return { name: read(`/proc/${pid}/comm`).trim(), pid: Number(pid) };
  return undefined;
};

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
