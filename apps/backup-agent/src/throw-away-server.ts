import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { type Database, postgresDatabase } from "./database.ts";
import { runTool } from "./tool.ts";

const user = "drill";
const startMs = 60_000;
const stopMs = 10_000;

// It lives for one drill, and what it holds is thrown away: nothing of it need survive a crash.
const settings = [
  ...["listen_addresses=", "fsync=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0"],
  ...["shared_buffers=32MB", "maintenance_work_mem=32MB", "max_connections=10", "autovacuum=off", "jit=off"],
];

/**
 * A Postgres server of the agent's own for as long as `work` takes, reached by a socket in its folder and by nobody else:
 * a backup is tried out without a right, or a load, on the tenants' server.
 *
 * @param folder made for it, and removed after it, with what an earlier one left there
 */
export const withThrowAwayServer = async <T>(
  folder: string,
  path: string,
  signal: AbortSignal,
  work: (database: Database) => Promise<T>,
): Promise<T> => {
  const environment = { PATH: path, LC_ALL: "C.UTF-8" };
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { mode: 0o700 });
  try {
    const data = join(folder, "data");
    const make = [`--pgdata=${data}`, `--username=${user}`, "--auth=trust", "--encoding=UTF8", "--no-sync"];
    await runTool({ command: "initdb", arguments: make, environment }, signal, text);
    const server = spawn(
      "postgres",
      ["-D", data, "-k", folder, ...settings.flatMap((setting) => ["-c", setting])],
      { env: environment, stdio: ["ignore", "ignore", "pipe"] },
    );
    let words = "";
    server.stderr.on("data", (chunk: Buffer) => {
      words = `${words}${chunk.toString()}`.slice(-2_000);
    });
    const ended = once(server, "exit").then(() => {
      throw new Error(`the drill's own Postgres ended: ${words.trim()}`);
    });
    ended.catch(() => {}); // heard below, while the work runs
    try {
      const address = { host: folder, port: 5432, database: "postgres", user };
      const database = postgresDatabase(address, { pgpass: "/dev/null", path });
      await Promise.race([answers(database, signal), ended]);
      return await Promise.race([work(database), ended]);
    } finally {
      await stop(server);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const answers = async (database: Database, signal: AbortSignal): Promise<void> => {
  for (const began = Date.now(); ; await delay(50, undefined, { signal }))
    try {
      return await database.check();
    } catch (error) {
      if (Date.now() - began > startMs) throw error;
    }
};

const stop = async (server: ReturnType<typeof spawn>): Promise<void> => {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exit = once(server, "exit");
  server.kill("SIGQUIT"); // at once: there is nothing to be kept
  const killed = setTimeout(() => server.kill("SIGKILL"), stopMs);
  await exit;
  clearTimeout(killed);
};
