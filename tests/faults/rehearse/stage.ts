import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Shard } from "@deeplens/client/api";
import { type Installation, openInstallation } from "@deeplens/e2e/support";
import { stackOf } from "@deeplens/testing";
import { until } from "../fleet.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const execute = promisify(execFile);

/** What a rehearsal works with: an installation that may be destroyed, and what an operator has. Each command is printed with what it said. */
export interface Stage {
  readonly name: string;
  /** A line that says what is done next, and why. */
  note(text: string): void;
  /** Runs a command as an operator would. @throws where it ends with another code than 0 */
  run(command: string, ...args: string[]): Promise<string>;
  tenantctl(...args: string[]): Promise<string>;
  /** `npm start`, or the infrastructure of it alone. */
  start(only?: "--infra-only"): Promise<void>;
  /** Stops orchestrator and workers, and what else is named. */
  stopFleet(...others: string[]): Promise<void>;
  /** Reads every partition on that stopped because log and database are at odds; waits until there is one. */
  acceptAll(reason: string): Promise<void>;
  /** Looks at the installation with connections of its own. */
  looking<T>(work: (installation: Installation) => Promise<T>): Promise<T>;
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

export const stageOf = (name: string, portOffset: string): Stage => {
  const run: Stage["run"] = async (command, ...args) => {
    print(`$ ${[command, ...args.map(quoted)].join(" ")}`);
    const { stdout } = await execute(command, args, { cwd: root, maxBuffer: 64 * 1024 ** 2 });
    if (stdout.trim() !== "") print(stdout.trimEnd());
    return stdout;
  };
  const tenantctl: Stage["tenantctl"] = async (...args) => {
    print(`$ tenantctl ${args.map(quoted).join(" ")}`);
    const all = ["apps/tenantctl/src/main.ts", ...args, "--installation", name];
    const { stdout } = await execute(process.execPath, all, { cwd: root, maxBuffer: 64 * 1024 ** 2 }).catch(
      (error: Error & { stdout?: string; stderr?: string }) => {
        print(`${error.stdout ?? ""}${error.stderr ?? ""}`.trimEnd());
        throw error;
      },
    );
    print(stdout.trimEnd());
    return stdout;
  };
  const stage: Stage = {
    ...{ name, run, tenantctl },
    note: (text) => print(`\n# ${text}`),
    start: async (only) => {
      const extent = only === undefined ? [] : [only];
      print(`$ npm start -- ${["--installation", name, ...extent].join(" ")}`);
      const child = spawn(process.execPath, ["scripts/start.mjs", "--installation", name, ...extent], {
        cwd: root,
        stdio: ["ignore", "ignore", "inherit"],
        env: { ...process.env, DEEPLENS_PORT_OFFSET: portOffset },
      });
      const [code] = await once(child, "exit");
      if (code !== 0) throw new Error(`npm start ended with ${code}`);
    },
    stopFleet: async (...others) => {
      const label = `label=deeplens.installation=${name}`;
      const { stdout } = await execute("docker", ["ps", "--format", "{{.Names}}", "--filter", label]);
      const fleet = stdout.split("\n").filter((one) => /-(saga-orchestrator|\w+-worker)$/.test(one));
      await run("docker", "stop", ...fleet, ...others.map((one) => `${name}-${one}`));
    },
    acceptAll: async (reason) => {
      const stopped = await until("partitions have stopped", 300_000, async () => {
        const all = ["apps/tenantctl/src/main.ts", "shards", "--json", "--installation", name];
        const { stdout } = await execute(process.execPath, all, { cwd: root }).catch(() => ({ stdout: "" }));
        if (stdout === "") return { not: "the orchestrator does not answer" };
        const { items } = JSON.parse(stdout) as { items: readonly Shard[] };
        const streams = items.flatMap((shard) =>
          (["requests", "replies"] as const).flatMap((stream) =>
            shard[stream].stopped === null ? [] : [{ shard: shard.shard, stream }],
          ),
        );
        return streams.length > 0 ? streams : { not: "none has stopped" };
      });
      await tenantctl("shards");
      for (const { shard, stream } of stopped)
        await tenantctl("shards", "accept", String(shard), "--stream", stream, "--reason", reason);
    },
    looking: async (work) => {
      const installation = await openInstallation(stackOf(name));
      try {
        return await work(installation);
      } finally {
        await installation.close();
      }
    },
  };
  return stage;
};

const quoted = (word: string): string => (/^[\w./:=-]+$/.test(word) ? word : `'${word}'`);
