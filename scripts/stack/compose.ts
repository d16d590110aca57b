/** docker-compose with the installation's variables. */

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Run } from "../bootstrap/task.mjs";
import { capture, succeeds } from "./command.ts";
import { installPackages } from "./engine.ts";
import type { ImageSource, PlannedImage } from "./image-plan.ts";
import { type Ports, portVariable, serviceNames } from "./ports.ts";
import { fleetUser } from "./secret-files.ts";
import type { StateFolder } from "./state-folder.ts";

/** The services that the fleet stands on, and what restores the control database before there is a fleet; in docker-compose.yml's names. */
export const infrastructure = [
  "kafka",
  "schema-registry",
  "postgres",
  "redis",
  "minio",
  "identity-api",
  "control-backup",
] as const;

export type Compose = {
  /** Runs `docker-compose <args>` as part of a task. */
  readonly run: (run: Run, args: readonly string[]) => Promise<string>;
  /** The services that the files define. */
  readonly services: () => Promise<readonly string[]>;
};

/** in: the project's root, the installation's state, and what was chosen for it. */
export async function openCompose(
  root: string,
  state: StateFolder,
  choice: { readonly source: ImageSource; readonly ports: Ports; readonly images: readonly PlannedImage[] },
): Promise<Compose> {
  const command = await composeCommand();
  const files = ["docker-compose.yml", ...(choice.source === "build" ? ["docker-compose.build.yml"] : [])];
  const args = [
    ...command.slice(1),
    ...["--project-name", state.installation, "--project-directory", root],
    ...files.flatMap((file) => ["--file", join(root, file)]),
  ];
  const env = { ...process.env, ...composeVariables(state, choice) };
  const executable = command[0] ?? "docker-compose";
  return {
    run: (run, words) => run(executable, [...args, ...words], { env, cwd: root }),
    services: async () =>
      (await capture(executable, [...args, "config", "--services"], { env })).trim().split("\n"),
  };
}

/** Every variable that the compose files use. Nothing secret: only paths of secret files. */
export function composeVariables(
  state: StateFolder,
  choice: { readonly ports: Ports; readonly images: readonly PlannedImage[] },
): Readonly<Record<string, string>> {
  const { uid, gid } = fleetUser();
  const socket = dockerSocket();
  return {
    COMPOSE_DOCKER_CLI_BUILD: "0",
    DEEPLENS_INSTALLATION: state.installation,
    DEEPLENS_STATE: state.path,
    DEEPLENS_PUBLISH_ADDRESS: process.env.DEEPLENS_PUBLISH_ADDRESS || "127.0.0.1",
    DEEPLENS_FLEET_UID: String(uid),
    DEEPLENS_FLEET_GID: String(gid),
    DEEPLENS_DOCKER_SOCKET: socket,
    DEEPLENS_DOCKER_GID: String(existsSync(socket) ? statSync(socket).gid : 0),
    ...Object.fromEntries(serviceNames.map((name) => [portVariable(name), String(choice.ports[name])])),
    ...Object.fromEntries(choice.images.map(({ entry, tag }) => [imageVariable(entry.service), tag])),
  };
}

const imageVariable = (service: string): string =>
  `DEEPLENS_IMAGE_${service.replaceAll("-", "_").toUpperCase()}`;

/** The engine's socket on the host, Podman's compatible one included. */
function dockerSocket(): string {
  const host = process.env.DOCKER_HOST ?? "";
  return host.startsWith("unix://") ? host.slice("unix://".length) : "/var/run/docker.sock";
}

async function composeCommand(): Promise<readonly string[]> {
  if (await succeeds("docker", ["compose", "version"])) return ["docker", "compose"];
  if (!(await succeeds("docker-compose", ["version"]))) await installPackages(["docker-compose"]);
  return ["docker-compose"];
}
