import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { stack } from "@deeplens/testing";
import Docker from "dockerode";

/** A process of the fleet, as a benchmark starts it. */
export interface FleetProcess {
  /** Absolute. */
  readonly file: string;
  readonly args?: readonly string[];
  /** Node's own flags. */
  readonly nodeArgs?: readonly string[];
  /** Beside what every process of the product is told. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Each answers /health/ready when the process is. */
  readonly healthPorts: readonly number[];
}

export interface RunningProcess {
  /** As the machine counts, for /proc. */
  readonly pid: number;
  untilReady(): Promise<void>;
  end(): Promise<void>;
}

/** What a process may read on the machine, at the same paths: the repository, and what a benchmark staged. */
const repository = fileURLToPath(new URL("../../", import.meta.url));
const readyTries = 600;
const endSeconds = 10;

/**
 * Starts a process as the fleet runs: in a container of its own on the installation's network, so that it meets Kafka and
 * Postgres without the engine's proxy between, which each published port has. The image is one that has Node and Debian:
 * the backup agent's. Passwords reach it as files.
 *
 * @param folders that it reads and writes beside the repository (a copy of the code, a place for profiles)
 */
export const startProcess = async (
  name: string,
  { file, args = [], nodeArgs = [], environment = {}, healthPorts }: FleetProcess,
  folders: readonly string[],
): Promise<RunningProcess> => {
  const { network, images, installation } = stack();
  const secrets = await mkdtemp(join(tmpdir(), "deeplens-bench-secrets-"));
  const variables = await withSecretsAsFiles(environment, secrets);
  const container = await new Docker().createContainer({
    name,
    Image: images.backup,
    // Its log is no part of what is measured: to read and keep it costs the engine more than the process to write it.
    Entrypoint: ["sh", "-c", 'exec "$0" "$@" > /dev/null', "node", ...nodeArgs, file],
    Cmd: [...args],
    Env: Object.entries(variables).map(([key, value]) => `${key}=${value}`),
    User: "0:0",
    WorkingDir: repository,
    Labels: { "deeplens.installation": installation },
    HostConfig: {
      NetworkMode: network,
      AutoRemove: true,
      LogConfig: { Type: "none", Config: {} },
      Memory: memoryBytes,
      Binds: [
        `${repository}:${repository}:ro`,
        `${secrets}:${secrets}:ro`,
        ...folders.map((folder) => `${folder}:${folder}`),
        "/var/run/docker.sock:/var/run/docker.sock",
      ],
    },
  });
  const removed = container.wait({ condition: "removed" });
  const end = async (): Promise<void> => {
    await container.stop({ t: endSeconds }).catch(unlessGone);
    await removed.catch(unlessGone);
    await rm(secrets, { recursive: true });
  };
  try {
    const output = await container.attach({ stream: true, stderr: true });
    container.modem.demuxStream(output, process.stderr, process.stderr);
    await container.start();
  } catch (error) {
    await container.remove({ force: true }).catch(unlessGone);
    await rm(secrets, { recursive: true });
    throw error;
  }
  const { State, NetworkSettings } = await container.inspect();
  const address = NetworkSettings.Networks[network]?.IPAddress;
  return {
    pid: State.Pid,
    async untilReady() {
      const ended = removed.then(({ StatusCode }) => {
        throw new Error(`the process ${name} ended with ${StatusCode} before it was ready`);
      });
      ended.catch(() => undefined); // once it is ready it ends when it is told to
      for (const port of healthPorts)
        await Promise.race([ended, untilReady(name, `http://${address}:${port}/health/ready`)]);
    },
    end,
  };
};

/** docker-compose.yml's mem_limit of the fleet, by which V8 chooses the size of its heap. */
const memoryBytes = 384 * 1024 * 1024;

const isSecret = (name: string): boolean => /(PASSWORD|TOKEN|MASTER_KEY)$/.test(name);

const withSecretsAsFiles = async (
  environment: Readonly<Record<string, string>>,
  folder: string,
): Promise<Record<string, string>> => {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (!isSecret(name)) {
      found[name] = value;
      continue;
    }
    found[`${name}_FILE`] = join(folder, name);
    await writeFile(join(folder, name), value, { mode: 0o600 });
  }
  return found;
};

const untilReady = async (name: string, url: string): Promise<void> => {
  for (let tries = 0; tries < readyTries; tries++) {
    try {
      if ((await fetch(url)).ok) return;
    } catch {
      // Not listening yet.
    }
    await delay(100);
  }
  throw new Error(`the process ${name} is not ready after a minute (${url})`);
};

const unlessGone = (error: unknown): void => {
  const { statusCode } = error as { statusCode?: number };
  if (statusCode !== 404 && statusCode !== 304) throw error;
};
