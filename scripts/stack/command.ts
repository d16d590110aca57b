/** Runs a short command and takes its output. Long ones run as a task (bootstrap/task.mjs), with a log. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Standard output of the command. Throws with what it wrote to standard error. */
export async function capture(
  command: string,
  args: readonly string[],
  options: { readonly timeoutMs?: number; readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): Promise<string> {
  const { stdout } = await run(command, [...args], {
    timeout: options.timeoutMs ?? 60_000,
    maxBuffer: 64 * 1024 * 1024,
    env: options.env ?? process.env,
    ...(options.cwd ? { cwd: options.cwd } : {}),
  });
  return stdout;
}

/** True when the command ends with 0. */
export const succeeds = (command: string, args: readonly string[], timeoutMs = 60_000): Promise<boolean> =>
  capture(command, args, { timeoutMs }).then(
    () => true,
    () => false,
  );

/** The lines of a command's output, without empty ones. */
export const lines = async (command: string, args: readonly string[]): Promise<string[]> =>
  (await capture(command, args)).split("\n").filter((line) => line !== "");
