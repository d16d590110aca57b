#!/usr/bin/env node
// Runs tenantctl on the Node that the project pins: the one running may be too old for TypeScript. Plain JavaScript.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const pinned = fileURLToPath(new URL("../../../node_modules/node/bin/node", import.meta.url));

if (Number(process.versions.node.split(".")[0]) >= 24) await import(main);
else if (existsSync(pinned)) {
  const child = spawn(pinned, [main, ...process.argv.slice(2)], { stdio: "inherit" });
  // The terminal's Ctrl+C reaches both; the child says what it means.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("error", (error) => {
    console.error(`tenantctl: ${pinned} could not be started: ${error.message}`);
    process.exit(1);
  });
  child.on("close", (code) => process.exit(code ?? 1));
} else {
  console.error(
    "tenantctl: its packages are not installed; run `npm start` (or `npm ci`) in the project first.",
  );
  process.exit(1);
}
