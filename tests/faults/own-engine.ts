import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { until } from "./fleet.ts";

const run = promisify(execFile);

// The engine's own default bridge. Not none: an engine without one deletes `docker0`, which is the machine's engine's.
const defaultBridge = { name: "dl-default0", address: "10.213.76.1/24" };
const bridgeName = "dl-restart0";
const bridgeSubnet = "10.213.77.0/24";

/** A Docker engine of the test's own, beside the machine's: its own data, socket, containerd and network. */
export interface OwnEngine {
  /** As DOCKER_HOST has it. */
  readonly host: string;
  docker(...args: string[]): Promise<string>;
  start(): Promise<void>;
  /** As when the power goes: the engine, what runs its containers and the processes in them end by SIGKILL. */
  cutOff(): Promise<void>;
  /** Makes a network whose bridge goes with the engine. */
  createNetwork(name: string): Promise<void>;
  /** Copies an image of the machine's engine into this one. */
  take(image: string): Promise<void>;
  /** Removes its containers and networks, ends it and removes its data. */
  remove(): Promise<void>;
}

/** Why there can be no engine of the test's own here; undefined where there can. */
export const whyNoOwnEngine = async (): Promise<string | undefined> => {
  if (process.getuid?.() !== 0) return "a second engine takes root";
  return run("dockerd", ["--version"]).then(
    () => undefined,
    () => "there is no dockerd on this machine to start a second engine with",
  );
};

export const createOwnEngine = (): OwnEngine => {
  const folder = mkdtempSync(join(tmpdir(), "deeplens-engine-"));
  const host = `unix://${folder}/docker.sock`;
  const execRoot = join(folder, "exec");
  const log = join(folder, "dockerd.log");
  // The machine's own settings are not for this one.
  writeFileSync(join(folder, "daemon.json"), "{}");
  let engine: ChildProcess | undefined;

  const docker = async (...args: string[]): Promise<string> =>
    (await run("docker", ["--host", host, ...args], { timeout: 60_000 })).stdout;
  const running = async (): Promise<string[]> => (await docker("ps", "--quiet")).split("\n").filter(Boolean);

  /** What a reboot leaves of an engine is its data alone: no mount, no interface, nothing of /run. */
  const loseMemory = async (): Promise<void> => {
    const mounts = readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[4] ?? "")
      .filter((path) => path.startsWith(`${folder}/`));
    for (const path of mounts.toReversed()) await run("umount", ["--lazy", path]).catch(() => undefined);
    for (const name of [bridgeName, defaultBridge.name])
      await run("ip", ["link", "delete", name]).catch(() => undefined);
    rmSync(execRoot, { recursive: true, force: true });
    rmSync(join(folder, "dockerd.pid"), { force: true });
  };

  return {
    host,
    docker,
    async start() {
      const output = openSync(log, "a");
      await run("ip", ["link", "add", defaultBridge.name, "type", "bridge"]);
      await run("ip", ["address", "add", defaultBridge.address, "dev", defaultBridge.name]);
      await run("ip", ["link", "set", defaultBridge.name, "up"]);
      // Ports are published by its own proxies: it touches no firewall, and makes no bridge but those it is asked for.
      engine = spawn(
        "dockerd",
        [
          ["--host", host, "--data-root", join(folder, "data"), "--exec-root", execRoot],
          ["--pidfile", join(folder, "dockerd.pid"), "--config-file", join(folder, "daemon.json")],
          ["--bridge", defaultBridge.name, "--iptables=false", "--ip6tables=false", "--ip-forward=false"],
        ].flat(),
        { stdio: ["ignore", output, output] },
      );
      await until("the engine of the test answers", 30_000, async () => {
        if (engine?.exitCode !== null)
          assert.fail(`dockerd ended: ${readFileSync(log, "utf8").slice(-2_000)}`);
        return docker("version").then(
          () => true,
          (error: Error) => ({ not: `${error.message}\n${readFileSync(log, "utf8").slice(-2_000)}` }),
        );
      });
    },
    async cutOff() {
      const containers = await running();
      const inside = await Promise.all(
        containers.map(async (id) => Number(await docker("inspect", "--format", "{{.State.Pid}}", id))),
      );
      const containerd = Number(readFileSync(join(execRoot, "containerd", "containerd.pid"), "utf8"));
      const shims = inside.map(parentOf).filter((pid) => commandOf(pid).includes(execRoot));
      assert.equal(shims.length, inside.length, "each container has its shim");
      const ended = engine === undefined ? undefined : once(engine, "exit");
      for (const pid of [engine?.pid ?? 0, containerd, ...shims, ...inside]) kill(pid);
      await ended;
      await loseMemory();
    },
    async createNetwork(name) {
      const bridge = ["--opt", `com.docker.network.bridge.name=${bridgeName}`, "--subnet", bridgeSubnet];
      await docker("network", "create", ...bridge, name);
    },
    async take(image) {
      const save = spawn("docker", ["save", image], { stdio: ["ignore", "pipe", "inherit"] });
      const load = spawn("docker", ["--host", host, "load", "--quiet"], {
        stdio: ["pipe", "ignore", "inherit"],
      });
      const loaded = once(load, "exit");
      await pipeline(save.stdout, load.stdin);
      assert.equal((await loaded)[0], 0, `docker load of ${image}`);
    },
    async remove() {
      const containers = (await docker("ps", "--all", "--quiet").catch(() => "")).split("\n").filter(Boolean);
      if (containers.length > 0)
        await docker("rm", "--force", "--volumes", ...containers).catch(() => undefined);
      await docker("network", "prune", "--force").catch(() => undefined);
      if (engine?.exitCode === null) {
        const ended = once(engine, "exit");
        engine.kill("SIGTERM");
        await ended;
      }
      await loseMemory();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};

const kill = (pid: number): void => {
  if (pid > 1 && existsSync(`/proc/${pid}`)) process.kill(pid, "SIGKILL");
};

const parentOf = (pid: number): number =>
  Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);

const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
