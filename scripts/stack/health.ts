/** Waits until containers are healthy, and tells which is not and why. */

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Run, TaskFailure, task } from "../bootstrap/task.mjs";
import { lines, succeeds } from "./command.ts";
import type { StateFolder } from "./state-folder.ts";

type Service = {
  readonly name: string;
  readonly state: string;
  readonly restarts: number;
  /** The command of its health check, as Docker keeps it; null where it has none. */
  readonly test: readonly string[] | null;
};

const lookMs = 500;
const probeMs = 10_000;

/**
 * Asks each service by its own health check: Docker itself asks every two minutes, for a check costs more than an idle process
 * does (docs/performance.md). in: services in docker-compose.yml's names. Throws TaskFailure with the last lines of the
 * first that fails.
 */
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
    for (let waiting: readonly string[] = names; ; ) {
      const seen = await inspect(waiting);
      const healthy = await Promise.all(seen.map(isHealthy));
      const unhealthy = seen.filter((_, index) => !healthy[index]);
      if (unhealthy.length === 0) return;
      const broken = unhealthy.find(({ name, restarts }) => restarts - (before.get(name) ?? 0) >= 3);
      if (broken || Date.now() > deadline) await fail(broken ?? unhealthy[0], run, log);
      waiting = unhealthy.map(({ name }) => name);
      await sleep(lookMs);
    }
  });
}

/** True where its check passes now, or where it runs and has none. */
async function isHealthy({ name, state, test }: Service): Promise<boolean> {
  if (state !== "running") return false;
  const [kind, ...words] = test ?? ["NONE"];
  if (kind === "NONE") return true;
  const command = kind === "CMD-SHELL" ? ["/bin/sh", "-c", ...words] : words;
  return succeeds("docker", ["exec", name, ...command], probeMs);
}

async function inspect(names: readonly string[]): Promise<readonly Service[]> {
  const format =
    "{{.Name}} {{.State.Status}} {{.RestartCount}} {{if .Config.Healthcheck}}{{json .Config.Healthcheck.Test}}{{else}}null{{end}}";
  return (await lines("docker", ["inspect", "--format", format, ...names])).map((row) => {
    const [name = "", state = "", restarts = "0", ...test] = row.replace(/^\//, "").split(" ");
    return { name, state, restarts: Number(restarts), test: JSON.parse(test.join(" ")) };
  });
}

async function fail(container: Service | undefined, run: Run, log: string): Promise<never> {
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
