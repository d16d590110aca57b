/** Waits until containers are healthy, and tells which is not and why. */

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Run, TaskFailure, task } from "../bootstrap/task.mjs";
import { capture } from "./command.ts";
import type { StateFolder } from "./state-folder.ts";

type Health = { readonly name: string; readonly state: string; readonly restarts: number };

/** in: services in docker-compose.yml's names. Throws TaskFailure with the last lines of the first that fails. */
export async function waitUntilHealthy(
  state: StateFolder,
  services: readonly string[],
  patienceMs = 180_000,
): Promise<void> {
  const names = services.map((service) => `${state.installation}-${service}`);
  const log = join(state.logs, "health.log");
  await task(`waiting for ${services.length} services to be healthy`, { log }, async (run) => {
    const deadline = Date.now() + patienceMs;
    const before = new Map((await inspect(names)).map(({ name, restarts }) => [name, restarts]));
    for (;;) {
      const waiting = (await inspect(names)).filter((container) => container.state !== "healthy");
      if (waiting.length === 0) return;
      const broken = waiting.find(({ name, restarts }) => restarts - (before.get(name) ?? 0) >= 3);
      if (broken || Date.now() > deadline) await fail(broken ?? waiting[0], run, log);
      await sleep(1000);
    }
  });
}

async function inspect(names: readonly string[]): Promise<readonly Health[]> {
  const format =
    "{{.Name}} {{if .State.Health}}{{.State.Health.Status}}{{else if .State.Running}}healthy{{else}}stopped{{end}} {{.RestartCount}}";
  const rows = await capture("docker", ["inspect", "--format", format, ...names]);
  return rows
    .trim()
    .split("\n")
    .map((row) => {
      const [name = "", state = "", restarts = "0"] = row.replace(/^\//, "").split(" ");
      return { name, state, restarts: Number(restarts) };
    });
}

async function fail(container: Health | undefined, run: Run, log: string): Promise<never> {
  const name = container?.name ?? "a container";
  // Its own log goes into ours, so that the last lines shown are the container's. Without it the failure is told all the same.
  await run("docker", ["logs", "--tail", "200", name]).catch(() => "");
  throw new TaskFailure(
    `${name} did not become healthy`,
    container && container.restarts > 0
      ? `it ended and was restarted ${container.restarts} times`
      : `it is "${container?.state}"`,
    log,
    `see "docker logs ${name}", then run the command again`,
  );
}
