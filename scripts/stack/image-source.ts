/** Chooses once whether official images are pulled or all are built here, and remembers it with the data they made. */
import { join } from "node:path";
import { task } from "../bootstrap/task.mjs";
import { succeeds } from "./command.ts";
import type { ImageSource } from "./image-plan.ts";
import { readJson, type StateFolder, writePrivateFile } from "./state-folder.ts";

/** The image that the engine is asked for: small, and needed anyway. */
const probe = "redis:8.2-bookworm";
const patienceMs = 45_000;

/**
 * The choice of this installation. DEEPLENS_IMAGES=official|build decides it by hand, but not against data that the
 * other choice made: the databases' majors differ. Throws when asked for that.
 */
export async function chooseImageSource(state: StateFolder): Promise<ImageSource> {
  const file = join(state.path, "images.json");
  const remembered = parseSource((readJson(file) as { source?: unknown } | undefined)?.source);
  const asked = parseSource(process.env.DEEPLENS_IMAGES);
  if (remembered && asked && asked !== remembered) {
    throw new Error(
      `The installation ${state.installation} runs on ${remembered} images and its data with them. ` +
        `Run "npm run reset" first, or leave DEEPLENS_IMAGES unset.`,
    );
  }
  const source = remembered ?? asked ?? (await ask(state));
  writePrivateFile(file, `${JSON.stringify({ source })}\n`);
  return source;
}

async function ask(state: StateFolder): Promise<ImageSource> {
  if (await succeeds("docker", ["image", "inspect", probe])) return "official";
  const log = join(state.logs, "image-registry.log");
  const source = await task("asking the engine for an official image", { log }, (run) =>
    run("docker", ["pull", probe], { timeoutMs: patienceMs }).then(
      () => "official" as const,
      () => "build" as const, // its log says why
    ),
  );
  console.log(
    source === "official"
      ? "...   images are pulled from their registries"
      : `...   no registry answers (${log} says why): images are built here`,
  );
  return source;
}

/** Throws when the word is neither. */
export function parseSource(value: unknown): ImageSource | undefined {
  if (value === undefined || value === "") return undefined;
  if (value === "official" || value === "build") return value;
  throw new Error(`DEEPLENS_IMAGES is "${value}": it is "official" or "build", or not set.`);
}
