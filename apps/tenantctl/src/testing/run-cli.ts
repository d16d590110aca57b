import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { run } from "../run.ts";

const bin = fileURLToPath(new URL("../../bin/tenantctl.mjs", import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command line in this process, without a terminal, with this state folder and nothing else to go by. */
export const runInProcess = async (args: readonly string[], stateHome: string, typed = ""): Promise<Ran> => {
  let stdout = "";
  let stderr = "";
  const code = await run(args, {
    environment: { XDG_STATE_HOME: stateHome },
    stdout: {
      write: (text) => {
        stdout += text;
      },
    },
    stderr: {
      write: (text) => {
        stderr += text;
      },
    },
    input: async () => typed,
    interactive: false,
    actor: "ada@laptop",
    interrupted: new AbortController().signal,
  });
  return { code, stdout, stderr };
};

/** As runInProcess, but as `npx tenantctl` runs it: a process of its own. */
export const runAsProcess = (args: readonly string[], stateHome: string): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [bin, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { XDG_STATE_HOME: stateHome, NO_COLOR: "1" },
    });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += String(chunk);
    });
    child.stderr.on("data", (chunk) => {
      stderr += String(chunk);
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
