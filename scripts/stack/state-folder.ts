/**
 * The folder that makes an installation more than a clone: passwords, ports, choices and logs, outside of any clone,
 * so that a second clone on the machine finds the running stack and its data.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

export type StateFolder = {
  readonly installation: string;
  readonly path: string;
  readonly secrets: string;
  readonly files: string;
  readonly logs: string;
  readonly stackFile: string;
  readonly masterKeyFile: string;
};

/** Where the state of `installation` lives. Makes nothing. */
export function stateFolder(installation: string): StateFolder {
  const path = join(stateHome(), installation);
  return {
    installation,
    path,
    secrets: join(path, "secrets"),
    files: join(path, "files"),
    logs: join(path, "logs"),
    stackFile: join(path, "stack.json"),
    masterKeyFile: join(path, "master.key"),
  };
}

/** Makes the folders, readable by their owner only. */
export function ensureStateFolder(state: StateFolder): void {
  for (const folder of [state.path, state.secrets, state.files, state.logs]) {
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o700);
  }
}

/** Logs of what belongs to the machine and not to an installation. */
export function machineLogs(): string {
  return join(stateHome(), "logs");
}

function stateHome(): string {
  return join(process.env.XDG_STATE_HOME || join(homedir(), ".local/state"), "deeplens");
}

/** Where what was built is kept for all installations: ${XDG_CACHE_HOME:-~/.cache}/deeplens. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "deeplens");
}

/** Writes a whole file or none, mode 0600. */
export function writePrivateFile(path: string, content: string): void {
  writeFileSync(`${path}.new`, content, { mode: 0o600 });
  chmodSync(`${path}.new`, 0o600);
  renameSync(`${path}.new`, path);
}

/** Reads a JSON file of the state folder; undefined when there is none. Throws when it is not JSON. */
export function readJson(path: string): unknown {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}
