import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** A Podman of a test run's own: storage, networks and socket are in one folder, and the machine's are left alone. */
export interface OwnPodman {
  /** As DOCKER_HOST has it. */
  readonly host: string;
  podman(...words: readonly string[]): Promise<string>;
  /** Copies an image of the machine's Docker engine into it. */
  take(image: string): Promise<void>;
  /** Removes its containers, networks and storage, and ends it. */
  remove(): Promise<void>;
}

/** Why there can be no Podman of a test's own here; undefined where there can. */
export const whyNoPodman = async (): Promise<string | undefined> => {
  if (process.getuid?.() !== 0) return "Podman is tried as operators run it: as root";
  return execute("podman", ["--version"]).then(
    () => undefined,
    () => "there is no podman on this machine: apt-get install podman netavark aardvark-dns crun",
  );
};

/** Comes back when its socket answers. */
export const startOwnPodman = async (): Promise<OwnPodman> => {
  // Not in /tmp: that may be a memory disk, and images go into it.
  const folder = mkdtempSync("/var/tmp/deeplens-podman-");
  const socket = join(folder, "podman.sock");
  mkdirSync(join(folder, "networks"));
  writeFileSync(join(folder, "containers.conf"), settings());
  // biome-ignore lint/style/noProcessEnv: podman is a command of this machine's, and takes its environment
  const env = { ...process.env, CONTAINERS_CONF: join(folder, "containers.conf") };
  const roots = [
    ...["--root", join(folder, "storage"), "--runroot", join(folder, "run")],
    ...["--network-config-dir", join(folder, "networks"), "--tmpdir", join(folder, "state")],
  ];
  const podman = async (...words: readonly string[]): Promise<string> =>
    (await execute("podman", [...roots, ...words], { env, timeout: 120_000 })).stdout.trim();
  const log = join(folder, "podman.log");
  const output = openSync(log, "w");
  const service = spawn("podman", [...roots, "system", "service", "--time=0", `unix://${socket}`], {
    env,
    stdio: ["ignore", output, output],
  });
  const own: OwnPodman = {
    host: `unix://${socket}`,
    podman,
    take: (image) => take(image, ["podman", ...roots, "load", "--quiet"], env),
    remove: async () => {
      // Whatever of it is not there any more, or was never made: what counts is that the folder goes.
      await podman("rm", "--all", "--force", "--time", "0").catch(() => "");
      await podman("network", "prune", "--force").catch(() => "");
      await end(service);
      endMonitors(folder);
      await execute("umount", [join(folder, "storage", "overlay")]).catch(() => "");
      rmSync(folder, { recursive: true, force: true });
    },
  };
  for (let tries = 0; !existsSync(socket); tries++) {
    if (service.exitCode === null && tries < 100) {
      await sleep(100);
      continue;
    }
    const said = readFileSync(log, "utf8").slice(-1_000);
    await own.remove();
    throw new Error(`podman's service did not start: ${said}`);
  }
  return own;
};

/** Without systemd it is to look after cgroups itself; and Debian's crun takes cgroups of one version only. */
const settings = (): string => {
  const onlySecond = existsSync("/sys/fs/cgroup/cgroup.controllers");
  const engine = ['cgroup_manager = "cgroupfs"', 'events_logger = "file"'];
  if (!onlySecond) engine.push('runtime = "runc"');
  // Without CAP_SYS_RESOURCE no container could be given the limits that are its default.
  return [
    "[containers]",
    "default_ulimits = []",
    "[engine]",
    ...engine,
    "[network]",
    'network_backend = "netavark"',
    "",
  ].join("\n");
};

const take = async (
  image: string,
  [command = "podman", ...words]: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<void> => {
  const save = spawn("docker", ["save", image], { stdio: ["ignore", "pipe", "inherit"] });
  const load = spawn(command, words, { env, stdio: ["pipe", "ignore", "inherit"] });
  const loaded = once(load, "exit");
  await pipeline(save.stdout, load.stdin);
  const [code] = await loaded;
  if (code !== 0) throw new Error(`podman load of ${image} ended with ${code}`);
};

/** Each command that ran in a container is watched for minutes after its end, and then makes the folder anew. */
const endMonitors = (folder: string): void => {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
      if (command.startsWith("/usr/bin/conmon") && command.includes(folder))
        process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended since.
    }
};

const end = async (service: ChildProcess): Promise<void> => {
  if (service.exitCode !== null) return;
  const ended = once(service, "exit");
  service.kill("SIGTERM");
  await ended;
};
