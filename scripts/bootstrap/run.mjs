// What every npm script of the stack begins with: the packages, then the rest in TypeScript on the pinned Node.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensurePackages } from "./packages.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Runs `scripts/<name>.ts` with this process's arguments and ends with its exit code. */
export async function runScript(name) {
  if (Number(process.versions.node.split(".")[0]) < 20) {
    console.error(`Node ${process.versions.node} is too old: install Node 20 or newer, then run this again.`);
    process.exit(1);
  }
  try {
    await ensurePackages(root);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
  const node = join(root, "node_modules/.bin/node");
  const child = spawn(node, [join(root, `scripts/${name}.ts`), ...process.argv.slice(2)], {
    stdio: "inherit",
    cwd: root,
  });
  // The terminal sends Ctrl+C to both; a signal sent to this process alone is passed on. Either way the child decides.
  for (const signal of ["SIGINT", "SIGTERM"])
    process.on(signal, () => signal === "SIGTERM" && child.kill(signal));
  child.on("error", (error) => {
    console.error(`The pinned Node could not be started (${node}): ${error.message}`);
    process.exit(1);
  });
  child.on("close", (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
}
