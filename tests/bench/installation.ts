import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { topicsOf } from "@deeplens/contracts";
import { type Codec, connectKafka, createCodec, type Kafka } from "@deeplens/messaging";
import type { Pool } from "@deeplens/postgres";
import { newMasterKeyLine } from "@deeplens/secrets";
import { createLogger } from "@deeplens/telemetry";
import { processEnvironment, removeTopicsAndGroups, stack, testDatabase } from "@deeplens/testing";
import type { Workforce } from "./usage.ts";

export interface BenchInstallation {
  readonly name: string;
  readonly kafka: Kafka;
  readonly codec: Codec;
  readonly pool: Pool;
  readonly shards: number;
  readonly workforce: Workforce;
  /** Ends the processes and removes topics, groups and database. */
  end(): Promise<void>;
}

const shards = 6;

/** A process of the fleet, as a benchmark starts it. */
export interface FleetProcess {
  /** Absolute. */
  readonly file: string;
  readonly args?: readonly string[];
  /** Node's own flags. */
  readonly nodeArgs?: readonly string[];
  /** Beside what every process of the product is told. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Each answers /health/ready when the process is. */
  readonly healthPorts: readonly number[];
}

/** An installation of the benchmark's own on the running stack's Kafka and Postgres, with these processes, by name. */
export const startInstallation = async (options: {
  readonly processes: Readonly<Record<string, FleetProcess>>;
  readonly profiles?: string;
}): Promise<BenchInstallation> => {
  const services = stack();
  const name = `b${randomBytes(4).toString("hex")}`;
  const log = createLogger("bench", "fatal");
  const cleanUps: (() => Promise<void>)[] = [];
  const { address, pool } = await testDatabase((work) => cleanUps.push(work));
  const kafka = connectKafka(services.kafka, { clientId: "bench", log });
  const codec = createCodec(name, services.schemaRegistry.url);
  await codec.prepare(topicsOf());
  const environment = {
    ...processEnvironment(name, address),
    DEEPLENS_MASTER_KEY: newMasterKeyLine(),
  };
  const profiling = options.profiles === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", options.profiles];
  const children: Record<string, ChildProcess> = {};
  const end = async (): Promise<void> => {
    await Promise.all(
      Object.values(children).map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill("SIGTERM");
        await once(child, "exit");
      }),
    );
    const admin = kafka.admin();
    await admin.connect();
    await removeTopicsAndGroups(admin, `${name}.`);
    await admin.disconnect();
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  };

  try {
    // Passwords go by the environment: a command line is for everybody to read.
    for (const [process_, { file, args = [], nodeArgs = [], environment: own }] of Object.entries(
      options.processes,
    ))
      children[process_] = spawn(process.execPath, [...profiling, ...nodeArgs, file, ...args], {
        stdio: ["ignore", "ignore", "inherit"],
        env: { ...environment, ...own },
      });
    await Promise.all(
      Object.values(options.processes)
        .flatMap(({ healthPorts }) => healthPorts)
        .map(untilReady),
    );
  } catch (error) {
    await end();
    throw error;
  }
  return {
    name,
    kafka,
    codec,
    pool,
    shards,
    workforce: {
      processes: Object.fromEntries(
        Object.entries(children).map(([process_, { pid }]) => [process_, pid ?? 0]),
      ),
      containers: [`${services.installation}-kafka`, `${services.installation}-postgres`],
    },
    end,
  };
};

const untilReady = async (port: number): Promise<void> => {
  for (let tries = 0; tries < 600; tries++) {
    try {
      if ((await fetch(`http://127.0.0.1:${port}/health/ready`)).ok) return;
    } catch {
      // Not listening yet.
    }
    await delay(100);
  }
  throw new Error(`the process with health port ${port} is not ready after a minute`);
};
