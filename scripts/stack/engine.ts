/** A Docker engine to talk to: one that runs is used as it is; where there is none, Debian's is installed and started. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Run, task } from "../bootstrap/task.mjs";
import { capture, succeeds } from "./command.ts";
import { machineLogs } from "./state-folder.ts";

/** Where Debian puts it; not in every PATH. */
const daemonPath = "/usr/sbin/dockerd";

/** Comes back with an engine that answers. Throws with what to install or to start by hand. */
export async function ensureEngine(): Promise<void> {
  const state = await engineState();
  if (state === "answers") return;
  if (process.env.DOCKER_HOST) {
    throw new Error(
      `No engine answers at DOCKER_HOST=${process.env.DOCKER_HOST}: start it, or unset DOCKER_HOST.`,
    );
  }
  if (state === "forbidden") throw forbidden();
  if (!(await daemonIsInstalled())) {
    prepareUlimits();
    await installPackages(["docker.io", "docker-compose"]);
  }
  if ((await engineState()) !== "answers") await startEngine();
}

/** Installs Debian packages that a step needs. Throws with their names where that can't be done from here. */
export async function installPackages(packages: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    throw new Error(
      `Missing on this machine: ${packages.join(", ")}. Install them (as root on Debian: apt-get install ${packages.join(" ")}; ` +
        "elsewhere a Docker engine with docker-compose), start the engine, then run this again.",
    );
  }
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const log = join(machineLogs(), `apt-${packages[0]}.log`);
  const hint = "see the log; if Debian's mirror could not be reached, run the command again";
  await task(`installing ${packages.join(", ")} by apt`, { log, hint }, async (run) => {
    await run("apt-get", ["update"], { env });
    // A new machine's own upgrades may hold the lock for some minutes.
    const waiting = ["-o", "DPkg::Lock::Timeout=300"];
    await run("apt-get", [...waiting, "install", "--yes", "--no-install-recommends", ...packages], { env });
  });
}

/** True when an engine answers; starts nothing. Throws where there is one that this user may not talk to. */
export async function engineAnswers(): Promise<boolean> {
  const state = await engineState();
  if (state === "forbidden") throw forbidden();
  return state === "answers";
}

/** True where there is an engine, running or not, here or elsewhere (DOCKER_HOST): it may hold containers of ours. */
export const engineExists = async (): Promise<boolean> =>
  Boolean(process.env.DOCKER_HOST) || (await engineAnswers()) || (await daemonIsInstalled());

const daemonIsInstalled = async (): Promise<boolean> =>
  existsSync(daemonPath) || (await succeeds("dockerd", ["--version"]));

const forbidden = (): Error =>
  new Error(
    "The Docker engine runs, but this user may not talk to it: run as root, or add the user to the group `docker` and log in again.",
  );

async function engineState(): Promise<"answers" | "forbidden" | "silent"> {
  try {
    await capture("docker", ["version", "--format", "{{.Server.Version}}"], { timeoutMs: 20_000 });
    return "answers";
  } catch (error) {
    return /permission denied/i.test(String(error)) ? "forbidden" : "silent";
  }
}

/**
 * Without CAP_SYS_RESOURCE the engine's own limits for containers can't be set, and no container starts. Only an
 * engine that is about to be installed here gets a setting, and only where there is none.
 */
function prepareUlimits(): void {
  const config = "/etc/docker/daemon.json";
  if (existsSync(config) || hasSysResource() || process.getuid?.() !== 0) return;
  mkdirSync("/etc/docker", { recursive: true });
  const limit = (Name: string, value: number) => ({ Name, Soft: value, Hard: value });
  const ulimits = { nofile: limit("nofile", 10_000), nproc: limit("nproc", 30_000) };
  writeFileSync(config, `${JSON.stringify({ "default-ulimits": ulimits }, null, 2)}\n`);
}

function hasSysResource(): boolean {
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return (BigInt(`0x${capabilities}`) & (1n << 24n)) !== 0n;
}

async function startEngine(): Promise<void> {
  if (process.getuid?.() !== 0) {
    throw new Error(
      "The Docker engine does not run: start it (sudo systemctl start docker), then run this again.",
    );
  }
  const log = join(machineLogs(), "engine-start.log");
  const hint = `see the log and ${join(machineLogs(), "dockerd.log")}; start the engine by hand, then run this again`;
  await task("starting the Docker engine", { log, hint }, async (run) => {
    const systemd = existsSync("/run/systemd/system");
    if (systemd) await run("systemctl", ["start", "docker"]);
    const daemon = systemd ? undefined : startDaemon();
    for (let attempt = 0; attempt < 60; attempt++) {
      if (await engineAnswers()) return;
      if (daemon && daemon.exitCode !== null) break;
      await sleep(1000);
    }
    await showDaemonLog(run);
    throw new Error("the engine did not come up");
  });
}

/** A session of its own, so that the engine outlives this command and its terminal. */
function startDaemon(): ChildProcess {
  mkdirSync(machineLogs(), { recursive: true });
  const out = openSync(join(machineLogs(), "dockerd.log"), "a");
  const config = existsSync("/etc/docker/daemon.json") ? readFileSync("/etc/docker/daemon.json", "utf8") : "";
  const limited = config.includes("default-ulimits") || hasSysResource();
  const limits = limited
    ? []
    : ["--default-ulimit", "nofile=10000:10000", "--default-ulimit", "nproc=30000:30000"];
  const daemon = spawn(existsSync(daemonPath) ? daemonPath : "dockerd", limits, {
    detached: true,
    stdio: ["ignore", out, out],
  });
  daemon.once("error", (error) => console.error(error.message));
  daemon.unref();
  return daemon;
}

/** Its last words go into the task's log, which a failure shows the end of. */
async function showDaemonLog(run: Run): Promise<void> {
  const log = join(machineLogs(), "dockerd.log");
  if (existsSync(log)) await run("tail", ["-n", "30", log]);
}
