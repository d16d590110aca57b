/** A whole installation of the benchmarks' own, for real tenants: there is no way yet to take a single one away again. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { requestsTopic, topicName, topicsOf } from "@deeplens/contracts";
import { type Installation, openInstallation } from "@deeplens/e2e/support";
import { createCodec } from "@deeplens/messaging";
import { stackFileOf, stackOf } from "@deeplens/testing";
import type { Progress } from "./benchmark.ts";
import { type Driver, startDriver } from "./driver.ts";
import { type Flags, type Values, wholeNumber } from "./flags.ts";

const name = "deeplens-bench";

export interface RealInstallation {
  readonly installation: Installation;
  readonly driver: Driver;
  end(): Promise<void>;
}

export const realInstallationFlags: Flags = {
  "port-offset": {
    type: "string",
    value: "N",
    default: "11000",
    help: "its ports are npm start's and this much more",
  },
  keep: { type: "boolean", help: "leave it, with its tenants, for the next run" },
};

export const realInstallationNotes = `It starts a whole installation of its own, ${name}, and removes it with all its tenants when it ends: nothing is
left but images and the build cache, unless --keep is given or it is broken off (then: npm run reset -- --installation
${name}).`;

/** Brings it up where it is not. @throws UsageError for an offset that is none */
export const startRealInstallation = async (
  values: Values,
  progress: Progress,
): Promise<RealInstallation> => {
  const offset = wholeNumber(values, "port-offset", 0);
  progress(`starting the installation ${name}`);
  try {
    await run("start.mjs", ["--installation", name], { DEEPLENS_PORT_OFFSET: String(offset) });
    process.env.DEEPLENS_STACK_FILE = stackFileOf(name);
    const installation = await openInstallation(stackOf(name));
    const driver = await driverFor(installation);
    return {
      installation,
      driver,
      end: async () => {
        await driver.close();
        await installation.close();
        await remove(values, progress);
      },
    };
  } catch (error) {
    await remove(values, progress);
    throw error;
  }
};

const remove = async (values: Values, progress: Progress): Promise<void> => {
  if (values.keep) return;
  progress(`removing the installation ${name}`);
  await run("reset.mjs", ["--installation", name, "--yes"]);
};

const driverFor = async ({ kafka, services }: Installation): Promise<Driver> => {
  const codec = createCodec(name, services.schemaRegistry.url);
  await codec.prepare(topicsOf());
  const admin = kafka.admin();
  await admin.connect();
  const { topics } = await admin.fetchTopicMetadata({ topics: [topicName(name, requestsTopic)] });
  await admin.disconnect();
  return startDriver({ name, kafka, codec, shards: topics[0]?.partitions.length ?? 0 });
};

/** One of the project's commands; what it says goes to stderr, for stdout is the result's. */
const run = async (
  script: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<void> => {
  const path = fileURLToPath(new URL(`../../scripts/${script}`, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], {
    stdio: ["ignore", process.stderr, "inherit"],
    env: { ...process.env, ...env },
  });
  const [code] = await once(child, "exit");
  if (code !== 0) throw new Error(`${script} ${args.join(" ")} ended with ${code}`);
};
