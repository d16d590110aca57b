import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** A process that has stopped itself. */
export interface StoppedProcess {
  /** Lets it go on, and gives what it says until it ends. */
  goOn(): Promise<string>;
  /** SIGKILL. */
  end(): void;
}

const lookMs = 50;

/**
 * Starts a script and waits until it has stopped itself (see stoppingAt). Call `end` when done.
 *
 * @param told given to its standard input as JSON: the place for secrets
 * @throws when it has ended, or goes on for a minute, without stopping
 */
export const stoppedProcess = async (script: URL, told: unknown): Promise<StoppedProcess> => {
  const child = spawn(process.execPath, [fileURLToPath(script)], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const end = (): void => void child.kill("SIGKILL");
  const said = text(child.stdout);
  child.stdin.end(JSON.stringify(told));
  const stopped = async (): Promise<boolean> =>
    /^State:\s+T/m.test(await readFile(`/proc/${child.pid}/status`, "utf8").catch(() => ""));
  for (const until = Date.now() + 60_000; !(await stopped()); await delay(lookMs)) {
    if (child.exitCode !== null) throw new Error(`it ended without stopping: ${await said}`);
    if (Date.now() < until) continue;
    end();
    throw new Error("it did not stop in a minute");
  }
  return {
    end,
    goOn: async () => {
      child.kill("SIGCONT");
      await ended;
      return said;
    },
  };
};
