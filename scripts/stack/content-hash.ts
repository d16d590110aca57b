/** The hash of what an image is built from: the same files give the same tag on every machine and in every clone. */
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

// What no image takes in (.dockerignore says the same), so that editing a test does not rebuild the fleet.
const ignoredFolders = new Set([
  "node_modules",
  ".nx",
  "__pycache__",
  ".git",
  "dist",
  "test",
  "tests",
  "fixtures",
]);
const ignoredFiles = /(\.test\.ts|\.log|\.md)$/;

/** Hashes files and folders (paths from `root`) and the `extra` words. 12 hexadecimal characters. */
export function contentHash(root: string, sources: readonly string[], extra: readonly string[] = []): string {
  const hash = createHash("sha256");
  for (const word of extra) hash.update(`extra ${word}\0`);
  for (const file of sources.flatMap((source) => filesOf(root, source)).sort()) {
    const path = join(root, file);
    const executable = (lstatSync(path).mode & 0o100) !== 0;
    hash.update(`${file}\0${executable}\0`).update(readFileSync(path)).update("\0");
  }
  return hash.digest("hex").slice(0, 12);
}

function filesOf(root: string, source: string): string[] {
  const stat = lstatSync(join(root, source), { throwIfNoEntry: false });
  if (!stat) return [];
  if (!stat.isDirectory()) return stat.isFile() && !ignoredFiles.test(source) ? [source] : [];
  return readdirSync(join(root, source))
    .filter((name) => !ignoredFolders.has(name))
    .flatMap((name) => filesOf(root, source === "." ? name : `${source}/${name}`));
}
