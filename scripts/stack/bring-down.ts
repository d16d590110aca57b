/** Ends an installation's containers and keeps its data. */
import { join } from "node:path";
import { task } from "../bootstrap/task.mjs";
import { lines } from "./command.ts";
import { infrastructure } from "./compose.ts";
import { ensureStateFolder, stateFolder } from "./state-folder.ts";
import { stopTenantContainers } from "./tenant-containers.ts";

/** The fleet first, so that no worker sees its services go; then the tenants' containers; then the services. */
export async function bringDown(installation: string): Promise<number> {
  const state = stateFolder(installation);
  const filter = ["--filter", `label=deeplens.installation=${installation}`];
  const running = await lines("docker", ["ps", "--format", "{{.Names}}", ...filter]);
  if (running.length === 0) return 0;
  ensureStateFolder(state);
  const services = infrastructure.map((service) => `${installation}-${service}`);
  const stack = await lines("docker", [
    "ps",
    "--format",
    "{{.Names}}",
    ...filter,
    "--filter",
    "label=com.docker.compose.service",
  ]);
  await stop(
    "the fleet",
    stack.filter((name) => !services.includes(name)),
  );
  await stopTenantContainers(state);
  await stop(
    "the services",
    stack.filter((name) => services.includes(name)),
  );
  return running.length;

  async function stop(title: string, names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const log = join(state.logs, "stop.log");
    await task(`stopping ${title}`, { log }, (run) => run("docker", ["stop", "--time", "20", ...names]));
  }
}
