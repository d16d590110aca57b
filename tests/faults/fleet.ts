import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import type { Installation } from "@deeplens/e2e/support";

const run = promisify(execFile);

/** The processes of the fleet, by what their containers are called after the installation. */
export const fleet = [
  "saga-orchestrator",
  "db-worker",
  "storage-worker",
  "vector-worker",
  "backup-worker",
  "identity-worker",
] as const;

export type Process = (typeof fleet)[number];

export interface ContainerState {
  readonly running: boolean;
  readonly exitCode: number;
  /** How often the engine started it again because it had ended by itself. */
  readonly restarts: number;
  /** ISO 8601; another one means that it was started again. */
  readonly startedAt: string;
}

export interface Health {
  readonly status: number;
  /** "ok" or the reason, by the name of what was checked. */
  readonly checks: Readonly<Record<string, string>>;
}

/** The containers of an installation, as an operator handles them. */
export interface Containers {
  state(service: string): Promise<ContainerState>;
  /** SIGTERM; SIGKILL when it has not ended after 20 s. How long it took, in ms. */
  stop(service: string): Promise<number>;
  start(service: string): Promise<void>;
  /** What a process of the fleet answers; status 0 where it does not. */
  health(service: Process, path?: "live" | "ready"): Promise<Health>;
  /** Waits until each of these is ready. @throws after `withinMs`, with what the checks say */
  untilReady(services?: readonly Process[], withinMs?: number): Promise<void>;
  /** Whatever became of a test: the whole fleet is there for the next one, started again where it does not come back. */
  heal(): Promise<void>;
}

export const containersOf = ({ services: { installation } }: Installation): Containers => {
  const nameOf = (service: string): string => `${installation}-${service}`;
  const docker = async (...args: string[]): Promise<string> => (await run("docker", args)).stdout;

  const health: Containers["health"] = async (service, path = "ready") => {
    // From inside, as the container's own health check asks: the port is not published.
    const ask = `exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /health/${path} HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3`;
    try {
      const answer = await docker("exec", nameOf(service), "bash", "-c", ask);
      const [head = "", body = ""] = answer.split("\r\n\r\n");
      const { checks = {} } = JSON.parse(body) as Partial<Health>;
      return { status: Number(head.split(" ")[1]), checks };
    } catch {
      return { status: 0, checks: {} };
    }
  };
  const containers: Containers = {
    async state(service) {
      const format =
        '{"running":{{.State.Running}},"exitCode":{{.State.ExitCode}},"restarts":{{.RestartCount}},"startedAt":"{{.State.StartedAt}}"}';
      return JSON.parse(await docker("inspect", "--format", format, nameOf(service))) as ContainerState;
    },
    async stop(service) {
      const began = performance.now();
      await docker("stop", "--time", "20", nameOf(service));
      return performance.now() - began;
    },
    async start(service) {
      await docker("start", nameOf(service));
    },
    health,
    async untilReady(wanted = fleet, withinMs = 60_000) {
      for (const service of wanted)
        await until(`${service} is ready`, withinMs, async () => {
          const { status, checks } = await health(service);
          return status === 200 ? true : { not: JSON.stringify(checks) };
        });
    },
    async heal() {
      for (const service of fleet) {
        await containers.start(service);
        const { status } = await health(service);
        if (status === 200) continue;
        await containers.untilReady([service], 45_000).catch(async () => {
          await containers.stop(service);
          await containers.start(service);
          await containers.untilReady([service]);
        });
      }
    },
  };
  return containers;
};

/**
 * Looks four times a second until `look` gives something; `{ not }` says what was seen instead.
 * @throws after `withinMs`, with what was seen last
 */
export const until = async <T>(
  what: string,
  withinMs: number,
  look: () => Promise<T | { readonly not: string } | undefined>,
): Promise<Exclude<T, { readonly not: string } | undefined>> => {
  const endMs = Date.now() + withinMs;
  for (;;) {
    const seen = await look();
    const missing = typeof seen === "object" && seen !== null && "not" in seen;
    if (seen !== undefined && !missing) return seen as Exclude<T, { readonly not: string } | undefined>;
    if (Date.now() > endMs)
      assert.fail(`${what}: not within ${withinMs} ms${missing ? `; at last: ${seen.not}` : ""}`);
    await delay(250);
  }
};
