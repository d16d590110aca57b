/** Has every image of the plan in the engine: found, loaded from the cache, pulled or built. */

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { constants, createGzip } from "node:zlib";
import { type Run, task } from "../bootstrap/task.mjs";
import { capture, lines, succeeds } from "./command.ts";
import { isBase, type PlannedImage } from "./image-plan.ts";
import { afterOthers } from "./one-at-a-time.ts";
import { cacheFolder, type StateFolder } from "./state-folder.ts";

type Build = Extract<PlannedImage, { how: "build" }>;

/**
 * Makes what is missing, in order; a second run finds everything. Installations share images and cache, so what another
 * command is making is waited for, and then found. Throws TaskFailure.
 */
export async function ensureImages(
  root: string,
  state: StateFolder,
  plan: readonly PlannedImage[],
): Promise<void> {
  const missing = async () => (await Promise.all(plan.map(isPresent))).includes(false);
  if (await missing())
    await afterOthers(join(cacheFolder(), "images.lock"), "making images", () => makeAll(root, state, plan));
}

async function makeAll(root: string, state: StateFolder, plan: readonly PlannedImage[]): Promise<void> {
  for (const image of plan) {
    if (await isPresent(image)) continue;
    const { service } = image.entry;
    const log = join(state.logs, `image-${service}.log`);
    if (image.how === "pull") {
      const hint =
        "check that the registry can be reached, or set DEEPLENS_IMAGES=build to build the images here";
      await task(`pulling ${image.tag}`, { log, hint }, (run) => run("docker", ["pull", image.tag]));
    } else if (!(await loadCopy(image, log))) {
      const hint =
        "see the log; a package registry that can't be reached is the usual cause: run the command again";
      await task(`building the image ${service}`, { log, hint }, (run) => build(root, image, plan, run));
      if (image.entry.keep) await keepCopy(image, log);
      if (image.entry.service === "fleet") await forgetOlder(image);
    }
  }
}

async function isPresent(image: PlannedImage): Promise<boolean> {
  const format = '{{ index .Config.Labels "deeplens.base" }}';
  const label = await capture("docker", ["image", "inspect", "--format", format, image.tag]).catch(
    () => undefined,
  );
  if (label === undefined) return false;
  if (image.how === "pull" || !isBase(image.entry)) return true;
  // A base that somebody else put under this name (pulled earlier) serves as well and is left alone.
  return label.trim() === "" || label.trim() === baseLabel(image);
}

/** The base is made anew when the host's certificate authorities change; what stands on it is not. */
function baseLabel(image: Build): string {
  const bundle = "/etc/ssl/certs/ca-certificates.crt";
  const authorities = existsSync(bundle) ? readFileSync(bundle) : "";
  return `${image.hash}-${createHash("sha256").update(authorities).digest("hex").slice(0, 12)}`;
}

async function build(root: string, image: Build, plan: readonly PlannedImage[], run: Run): Promise<void> {
  const { entry } = image;
  const cache = cacheFolder();
  mkdirSync(cache, { recursive: true });
  if (entry.service === "base") {
    await run(join(root, entry.context, "build.sh"), [cache, baseLabel(image)]).catch((error) => {
      rmSync(join(cache, "rootfs.tar"), { force: true }); // it may be what is wrong: the next try makes it again
      throw error;
    });
    return;
  }
  const args = Object.entries(entry.args ?? {}).flatMap(([name, service]) => {
    return ["--build-arg", `${name}=${plan.find((other) => other.entry.service === service)?.tag ?? ""}`];
  });
  if (isBase(entry)) args.push("--label", `deeplens.base=${baseLabel(image)}`);
  await withContext(root, image, run, async (context) => {
    const dockerfile = entry.dockerfile ? join(root, entry.dockerfile) : join(context, "Dockerfile");
    // The engine's own builder: BuildKit needs a plugin that Debian's engine does not bring.
    const env = { ...process.env, DOCKER_BUILDKIT: "0" };
    await run("docker", ["build", "--force-rm", ...args, "--tag", image.tag, "--file", dockerfile, context], {
      env,
    });
  });
}

/** A context that a script completes is a copy: the work tree stays as it is. */
async function withContext(
  root: string,
  image: Build,
  run: Run,
  work: (context: string) => Promise<void>,
): Promise<void> {
  const { context, prepare } = image.entry;
  if (!prepare) return work(join(root, context));
  const copy = mkdtempSync(join(tmpdir(), "deeplens-image-"));
  try {
    cpSync(join(root, context), copy, { recursive: true });
    await run(join(root, prepare), [copy]);
    await work(copy);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

const keptCopy = ({ entry, hash }: Build): string =>
  join(cacheFolder(), "images", `${entry.service}-${hash}.tar.gz`);

/** True when the kept copy is in the engine now. One that can't be loaded (cut off, say) is removed, and built again. */
async function loadCopy(image: Build, log: string): Promise<boolean> {
  const { service, keep } = image.entry;
  const copy = keptCopy(image);
  if (!keep || !existsSync(copy)) return false;
  const hint = `it is removed, and the image is built`;
  try {
    await task(`loading the image ${service} from the cache`, { log, hint }, (run) =>
      run("docker", ["load", "--input", copy]),
    );
    return true;
  } catch (error) {
    console.log(error instanceof Error ? error.message : error);
    rmSync(copy, { force: true });
    return false;
  }
}

/** A full disk or the like costs the copy and not the command. Copies of older versions go. */
async function keepCopy(image: Build, log: string): Promise<void> {
  const file = keptCopy(image);
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true });
  await task(`keeping a copy of the image ${image.entry.service}`, { log: `${log}.keep` }, async () => {
    const save = spawn("docker", ["save", image.tag], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = new Promise<number | null>((resolve) => save.once("close", resolve));
    await pipeline(
      save.stdout,
      createGzip({ level: constants.Z_BEST_SPEED }),
      createWriteStream(`${file}.new`),
    );
    if ((await ended) !== 0) throw new Error("docker save failed");
    renameSync(`${file}.new`, file);
    for (const name of readdirSync(folder))
      if (name.startsWith(`${image.entry.service}-`) && name !== basename(file))
        rmSync(join(folder, name), { force: true });
  }).catch((error: unknown) => console.log(error instanceof Error ? error.message : error));
}

/**
 * The fleet's image follows every change of the code: the last two stay, for other clones. The engine refuses to remove
 * one that a container has. Others are left alone: a running worker may be told to start tenants from an older one.
 */
async function forgetOlder(image: Build): Promise<void> {
  const tags = await lines("docker", [
    "images",
    `deeplens-local/${image.entry.service}`,
    "--format",
    "{{.Repository}}:{{.Tag}}",
  ]);
  for (const tag of tags.filter((other) => other !== image.tag).slice(2))
    await succeeds("docker", ["rmi", tag]);
}
