import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A worker's main.ts as a process. */
export interface WorkerProcess {
  /** All that it wrote so far. */
  log(): string;
  /** Its exit code once it has ended and all of its log is here; null where a signal ended it. */
  readonly exited: Promise<number | null>;
  /** SIGSTOP: it does nothing from now on, like a machine that hangs, until it is told to go on. */
  freeze(): void;
  goOn(): void;
  /** SIGKILL; resolves when it has ended. */
  end(): Promise<void>;
  /** Asks it to stop, and asserts that it ends by itself within 10 s, with 0. */
  assertStopsCleanly(): Promise<void>;
}

const stopMs = 10_000;

/** Starts it with this environment and no other. */
export const startProcess = (main: URL, environment: Readonly<Record<string, string>>): WorkerProcess => {
  const child = spawn(process.execPath, [fileURLToPath(main)], {
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
  const exited = once(child, "close").then(([code]) => code as number | null);
  return {
    exited,
    log: () => log,
    freeze: () => void child.kill("SIGSTOP"),
    goOn: () => void child.kill("SIGCONT"),
    end: async () => {
      child.kill("SIGKILL");
      await exited;
    },
    assertStopsCleanly: async () => {
      const began = Date.now();
      child.kill("SIGTERM");
      assert.equal(await exited, 0, log);
      const tookMs = Date.now() - began;
      assert.ok(tookMs < stopMs, `it took ${tookMs} ms to stop`);
    },
  };
};

/** Asserts that the process, started without any environment, exits with 78 and says of each name that it is missing. */
export const assertNamesWhatIsMissing = async (main: URL, names: readonly string[]): Promise<void> => {
  const { exited, log } = startProcess(main, {});
  assert.equal(await exited, 78, log());
  for (const name of names) assert.match(log(), new RegExp(`${name}: is missing`));
};
