/** The tenants' own containers: made by the workers, stopped and started here with the stack. */

import { rmSync } from "node:fs";
import { join } from "node:path";
import { task } from "../bootstrap/task.mjs";
import { lines } from "./command.ts";
import { readJson, type StateFolder, writePrivateFile } from "./state-folder.ts";

const stoppedFile = (state: StateFolder): string => join(state.path, "stopped-tenants.json");

/** Those of this installation that run (or all of them), by id. */
export const tenantContainers = (state: StateFolder, which: "running" | "all"): Promise<string[]> =>
  lines("docker", [
    ...["ps", "--quiet", "--no-trunc", ...(which === "all" ? ["--all"] : [])],
    ...["--filter", `label=deeplens.installation=${state.installation}`, "--filter", "label=tenant"],
  ]);

/** Stops the running ones and remembers them: one that a suspension stopped earlier stays stopped later. */
export async function stopTenantContainers(state: StateFolder): Promise<void> {
  const running = await tenantContainers(state, "running");
  if (running.length === 0) return;
  writePrivateFile(stoppedFile(state), JSON.stringify([...rememberedStopped(state), ...running]));
  await task(
    `stopping ${running.length} tenant containers`,
    { log: join(state.logs, "tenants-stop.log") },
    (run) => run("docker", ["stop", "--time", "10", ...running]),
  );
}

/** Starts those that were stopped here and are still there. */
export async function startTenantContainers(state: StateFolder): Promise<void> {
  const there = await tenantContainers(state, "all");
  const stopped = rememberedStopped(state).filter((id) => there.includes(id));
  if (stopped.length > 0) {
    await task(
      `starting ${stopped.length} tenant containers`,
      { log: join(state.logs, "tenants-start.log") },
      (run) => run("docker", ["start", ...stopped]),
    );
  }
  rmSync(stoppedFile(state), { force: true });
}

const rememberedStopped = (state: StateFolder): string[] => (readJson(stoppedFile(state)) ?? []) as string[];
