/** Brings an installation up: engine, images, secrets, ports, containers, health. Doing it twice is doing it once. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { task } from "../bootstrap/task.mjs";
import { succeeds } from "./command.ts";
import { infrastructure, openCompose } from "./compose.ts";
import { placeContainerFiles } from "./container-files.ts";
import { ensureEngine, installPackages } from "./engine.ts";
import { waitUntilHealthy } from "./health.ts";
import { ensureImages } from "./image-builder.ts";
import { readImageList } from "./image-list.ts";
import { type PlannedImage, planImages } from "./image-plan.ts";
import { chooseImageSource } from "./image-source.ts";
import { checkPorts } from "./port-check.ts";
import { installationPorts, type Ports, rememberPorts } from "./ports.ts";
import { projectRoot } from "./project-root.ts";
import { ensureControlBackups, ensureSecrets } from "./secret-files.ts";
import { writeStackFile } from "./stack-file.ts";
import { ensureStateFolder, type StateFolder, stateFolder } from "./state-folder.ts";
import { startTenantContainers } from "./tenant-containers.ts";

export type Stack = {
  readonly state: StateFolder;
  readonly ports: Ports;
  readonly services: readonly string[];
};

type Extent = "all" | "infrastructure" | "tests";

/** `only`: "infrastructure" leaves the fleet out, "tests" takes in what tests alone need. Throws TaskFailure or an Error made for a person. */
export async function bringUp(installation: string, only: Extent = "all"): Promise<Stack> {
  await ensureEngine();
  const state = stateFolder(installation);
  ensureStateFolder(state);
  ensureSecrets(state);
  ensureControlBackups(state);
  const ports = installationPorts(state);
  const source = await chooseImageSource(state);
  if (source === "build" && !(await succeeds("debootstrap", ["--version"])))
    await installPackages(["debootstrap"]);

  const images = planImages(projectRoot, readImageList(projectRoot), source);
  await ensureImages(
    projectRoot,
    state,
    images.filter((image) => wanted(image, only)),
  );
  placeContainerFiles(projectRoot, state);

  const compose = await openCompose(projectRoot, state, { source, ports, images });
  const defined = await compose.services();
  const services =
    only !== "infrastructure"
      ? defined
      : defined.filter((service) => infrastructure.some((name) => name === service));
  await checkPorts(state, ports, services);
  rememberPorts(state, ports);
  // Before anything runs: whoever looks for what keeps it from running (`tenantctl doctor`) reads it.
  writeStackFile(state, ports, images);
  await task("starting the containers", { log: join(state.logs, "compose-up.log") }, (run) =>
    compose.run(run, ["up", "--detach", "--no-build", ...services]),
  );
  await waitUntilHealthy(state, services);
  await startTenantContainers(state);
  return { state, ports, services };
}

const wanted = ({ entry }: PlannedImage, only: Extent): boolean =>
  existsSync(join(projectRoot, entry.dockerfile ?? join(entry.context, "Dockerfile"))) &&
  (only !== "infrastructure" || entry.service !== "fleet") &&
  (only === "tests" || entry.tests !== true);
