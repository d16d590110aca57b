// Installs the packages when they are missing or not those of the lock file. Plain JavaScript: it runs before them.
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { task } from "./task.mjs";

/** Makes `node_modules` match the lock file of the project in `root`; does nothing when it does already. */
export async function ensurePackages(root) {
  if (packagesAreCurrent(root)) return;
  const state = process.env.XDG_STATE_HOME || join(homedir(), ".local/state");
  await task(
    "installing the packages (npm ci)",
    {
      log: join(state, "deeplens/logs/npm-ci.log"),
      hint: "check that the npm registry can be reached, then run the command again",
    },
    (run) => run("npm", ["ci"], { cwd: root }),
  );
}

function packagesAreCurrent(root) {
  if (!existsSync(join(root, "node_modules/node/bin/node"))) return false;
  const wanted = readPackages(join(root, "package-lock.json"));
  const installed = readPackages(join(root, "node_modules/.package-lock.json"));
  return matches(wanted, installed);
}

/**
 * True when every package that the lock file wants is installed in its version. Contents are compared and not ages:
 * git and npm write the files in any order. Optional packages are those of other platforms, too.
 */
export function matches(wanted, installed) {
  return Object.entries(wanted).every(
    ([path, entry]) => path === "" || entry.optional === true || installed[path]?.version === entry.version,
  );
}

function readPackages(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages ?? {};
  } catch {
    return {};
  }
}
