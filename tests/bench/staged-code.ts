import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** `stripped`: as the fleet's image has it. `typescript`: as a developer's clone has it. */
export const forms = ["stripped", "typescript"] as const;
export type Form = (typeof forms)[number];

export interface StagedCode {
  readonly folder: string;
  /** The path of a source file, named as in the repository. */
  path(file: string): string;
  remove(): Promise<void>;
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const ours = ["apps", "libs", "tests/bench"];

/** A copy of the product's code with the installed packages beside it, made as the fleet's image makes it. */
export const stageCode = async (form: Form): Promise<StagedCode> => {
  const folder = await mkdtemp(join(tmpdir(), "deeplens-bench-"));
  for (const part of ours)
    await cp(join(root, part), join(folder, part), {
      recursive: true,
      filter: (path) => !/(\.test\.ts|\/node_modules)$/.test(path),
    });
  const packages = await readdir(join(root, "node_modules"));
  await cp(join(root, "node_modules", "@deeplens"), join(folder, "node_modules", "@deeplens"), {
    recursive: true,
    verbatimSymlinks: true, // to the copies
  });
  for (const name of packages.filter((name) => name !== "@deeplens"))
    await symlink(join(root, "node_modules", name), join(folder, "node_modules", name));
  if (form === "stripped")
    await promisify(execFile)(process.execPath, [
      join(root, "scripts/strip-types.mjs"),
      ...ours.map((part) => join(folder, part)),
    ]);
  return {
    folder,
    path: (file) => join(folder, form === "stripped" ? file.replace(/\.ts$/, ".js") : file),
    remove: () => rm(folder, { recursive: true }),
  };
};
