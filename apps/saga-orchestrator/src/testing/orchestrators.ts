import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Ambush } from "./orchestrator-process.ts";

/** An orchestrator that runs as a process of its own. */
export interface Orchestrator {
  readonly process: ChildProcess;
  readonly healthUrl: string;
  readonly apiUrl: string;
  /** Its exit code, or the signal that ended it. */
  readonly exited: Promise<number | string | null>;
  /** From now on: that signal to itself, the nth time that it reaches that stage. */
  arm(ambush: Ambush): void;
  /** What its health says is wrong, by check. */
  wrong(): Promise<Record<string, string>>;
  /** Resolves when it was stopped by SIGSTOP. */
  frozen(): Promise<void>;
  logText(): string;
  stop(): Promise<void>;
}

const processFile = fileURLToPath(new URL("./orchestrator-process.ts", import.meta.url));
const stopMs = 12_000;

/** Starts one; with an ambush, one that is armed from its first breath. Waits until it is ready, or has ended. */
export const startOrchestrator = async (
  environment: Readonly<Record<string, string>>,
  options: { logFolder: string; ambush?: Ambush; untilReady?: boolean },
): Promise<Orchestrator> => {
  const [healthPort, apiPort] = await Promise.all([freePort(), freePort()]);
  const settings = { ...environment, HEALTH_PORT: String(healthPort), API_PORT: String(apiPort) };
  const child = spawn(
    process.execPath,
    [processFile, JSON.stringify(options.ambush ?? null)],
    // Passwords among them: a command line is for everybody to read, an environment is not.
    { stdio: ["ignore", "pipe", "pipe", "ipc"], env: settings },
  );
  const logFile = createWriteStream(join(options.logFolder, `orchestrator-${child.pid}.log`));
  let log = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => {
      log += chunk.toString();
      logFile.write(chunk);
    });
  const exited = once(child, "exit").then(([code, signal]) => (signal ?? code) as number | string | null);
  const healthUrl = `http://127.0.0.1:${healthPort}`;
  const orchestrator: Orchestrator = {
    process: child,
    healthUrl,
    apiUrl: `http://127.0.0.1:${apiPort}`,
    exited,
    arm: (ambush) => void child.send(ambush),
    wrong: () => wrongIn(healthUrl),
    frozen: () => untilFrozen(child),
    logText: () => log,
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill("SIGCONT");
        child.kill("SIGTERM");
        const patience = setTimeout(() => child.kill("SIGKILL"), stopMs);
        await exited;
        clearTimeout(patience);
      }
      logFile.end();
    },
  };
  if (options.untilReady !== false) await Promise.race([exited, untilReady(orchestrator)]);
  return orchestrator;
};

const freePort = async (): Promise<number> => {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
};

const wrongIn = async (healthUrl: string): Promise<Record<string, string>> => {
  const response = await fetch(`${healthUrl}/health/ready`);
  const { checks } = (await response.json()) as { checks: Record<string, string> };
  return Object.fromEntries(Object.entries(checks).filter(([, outcome]) => outcome !== "ok"));
};

const readyMs = 60_000;

const untilReady = async (orchestrator: Orchestrator): Promise<void> => {
  const endMs = Date.now() + readyMs;
  for (;;) {
    const wrong = await orchestrator.wrong().catch((error: Error) => ({ process: error.message }));
    if (Object.keys(wrong).length === 0 || orchestrator.process.exitCode !== null) return;
    if (Date.now() > endMs)
      throw new Error(`not ready after ${readyMs} ms: ${JSON.stringify(wrong)}\n${orchestrator.logText()}`);
    await delay(50);
  }
};

const untilFrozen = async (child: ChildProcess): Promise<void> => {
  for (let tries = 0; tries < 600; tries++) {
    const state = (await readFile(`/proc/${child.pid}/stat`, "utf8")).split(") ")[1]?.[0];
    if (state === "T") return;
    await delay(50);
  }
  throw new Error(`process ${child.pid} did not stop itself`);
};

export type { Ambush };
