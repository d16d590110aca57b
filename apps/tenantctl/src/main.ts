import { hostname, userInfo } from "node:os";
import { text } from "node:stream/consumers";
import { run } from "./run.ts";

// A reader that went away (`tenantctl list | head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

const user = (): string => {
  try {
    return userInfo().username;
  } catch {
    return "unknown"; // a container's user may have no name
  }
};
const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort());

process.exitCode = await run(process.argv.slice(2), {
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  input: () => text(process.stdin),
  interactive: process.stdin.isTTY === true && process.stdout.isTTY === true,
  actor: `${user()}@${hostname()}`,
  interrupted: interrupted.signal,
});
