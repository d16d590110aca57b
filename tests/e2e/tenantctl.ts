import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Installation } from "./support.ts";

const main = fileURLToPath(new URL("../../apps/tenantctl/src/main.ts", import.meta.url));

export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs tenantctl as a person would, as a process of its own; never throws for an exit code. */
export const tenantctl = ({ services: { api } }: Installation, ...args: string[]): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const all = [main, ...args, "--api", api.url, "--token-file", api.tokenFile];
    execFile(process.execPath, all, { timeout: 120_000 }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== "number") return reject(error);
      resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
