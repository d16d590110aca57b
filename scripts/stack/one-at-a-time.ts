/** Commands that would undo each other's work take turns: on an installation, and on the images of the machine. */
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { stateFolder } from "./state-folder.ts";

/** Runs `work` while no other command holds `installation`. Throws who holds it. */
export function oneAtATime<T>(installation: string, work: () => Promise<T>): Promise<T> {
  return holding(
    `${stateFolder(installation).path}.lock`,
    (holder) => {
      throw new Error(
        `Another command works on the installation ${installation} (process ${holder}): wait until it has ended.`,
      );
    },
    work,
  );
}

/** Runs `work` while no other process holds the lock file; waits for one that does, and says what for. */
export function afterOthers<T>(file: string, what: string, work: () => Promise<T>): Promise<T> {
  let said = false;
  const wait = async (holder: string): Promise<void> => {
    if (!said) console.log(`...   another command is ${what} (process ${holder}): waiting for it`);
    said = true;
    await delay(1000);
  };
  return holding(file, wait, work);
}

async function holding<T>(
  file: string,
  onBusy: (holder: string) => Promise<void>,
  work: () => Promise<T>,
): Promise<T> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  for (let holder = take(file); holder !== undefined; holder = take(file)) await onBusy(holder);
  const release = () => rmSync(file, { force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.off("exit", release);
    release();
  }
}

/** Takes the lock, or gives the id of the process that has it. */
function take(file: string): string | undefined {
  // Written beside and linked, so that whoever finds the lock finds its holder in it.
  const mine = `${file}.${process.pid}`;
  writeFileSync(mine, `${process.pid} ${startOf(process.pid)}`, { mode: 0o600 });
  try {
    for (;;) {
      if (link(mine, file)) return undefined;
      const holder = read(file);
      if (holder === undefined) continue; // released just now
      if (isAlive(holder)) return holder.split(" ")[0] ?? "";
      moveAway(file, holder, mine);
    }
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Its process was ended in the middle. Of two who see that, the slower one would move a fresh lock: it puts it back. */
function moveAway(file: string, dead: string, mine: string): void {
  const aside = `${mine}.aside`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  if (read(aside) !== dead) link(aside, file);
  rmSync(aside, { force: true });
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function isAlive(holder: string): boolean {
  const [pid = "", start = ""] = holder.split(" ");
  try {
    process.kill(Number(pid) || Number.NaN, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  // After a reboot another process may have its number.
  return start === "" || start === startOf(Number(pid));
}

/** When the process began, in the kernel's ticks since boot; empty where that can't be told. */
function startOf(pid: number): string {
  try {
    return (
      readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ")[19] ?? ""
    );
  } catch {
    return ""; // no /proc on this system
  }
}
