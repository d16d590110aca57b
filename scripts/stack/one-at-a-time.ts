/** One command at a time on an installation: two that start and remove the same containers would undo each other. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { stateFolder } from "./state-folder.ts";

/** Runs `work` while no other command holds `installation`. Throws who holds it. */
export async function oneAtATime<T>(installation: string, work: () => Promise<T>): Promise<T> {
  const file = `${stateFolder(installation).path}.lock`;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  take(file, installation);
  const release = () => rmSync(file, { force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.off("exit", release);
    release();
  }
}

function take(file: string, installation: string): void {
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(file, String(process.pid), { flag: "wx", mode: 0o600 });
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || attempt > 0) throw error;
      const holder = Number(readFileSync(file, "utf8"));
      if (isAlive(holder)) {
        throw new Error(
          `Another command works on the installation ${installation} (process ${holder}): wait until it has ended.`,
        );
      }
      rmSync(file, { force: true }); // its process is gone: it was ended in the middle
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
