/** Names who holds a port, as far as it can be told: a container, else a process from /proc. */
import { listeningProcess } from "../../libs/service/src/listening-process.ts";
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
  const holder = listeningProcess(port);
  return holder ? `the process ${holder.name} (pid ${holder.pid})` : "a process that can't be seen from here";
}
