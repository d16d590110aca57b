import { randomBytes } from "node:crypto";
import { topicsOf } from "@deeplens/contracts";
import { type Codec, connectKafka, createCodec, type Kafka } from "@deeplens/messaging";
import type { Pool } from "@deeplens/postgres";
import { newMasterKeyLine } from "@deeplens/secrets";
import { createLogger } from "@deeplens/telemetry";
import { processEnvironment, removeTopicsAndGroups, stack, testDatabase } from "@deeplens/testing";
import { type FleetProcess, type RunningProcess, startProcess } from "./process-container.ts";
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

/** What docker-compose.yml tells the fleet. */
const addressesInside = {
  KAFKA_BROKERS: "kafka:9093",
  SCHEMA_REGISTRY_URL: "http://schema-registry:8081",
  CONTROL_DB_HOST: "postgres",
  CONTROL_DB_PORT: "5432",
  HEALTH_HOST: "0.0.0.0",
  API_HOST: "0.0.0.0",
};

/** An installation of the benchmark's own on the running stack's Kafka and Postgres, with these processes, by name. */
export const startInstallation = async (options: {
  readonly processes: Readonly<Record<string, FleetProcess>>;
  /** Where the code of the processes is, if it is not the repository's. */
  readonly code?: string;
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
    ...addressesInside,
    DEEPLENS_MASTER_KEY: newMasterKeyLine(),
  };
  const profiling = options.profiles === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", options.profiles];
  const folders = [options.code, options.profiles].filter((folder) => folder !== undefined);
  const running: Record<string, RunningProcess> = {};
  const end = async (): Promise<void> => {
    await Promise.all(Object.values(running).map((process_) => process_.end()));
    const admin = kafka.admin();
    await admin.connect();
    await removeTopicsAndGroups(admin, `${name}.`);
    await admin.disconnect();
    for (const cleanUp of cleanUps.reverse()) await cleanUp();
  };

  try {
    await Promise.all(
      Object.entries(options.processes).map(async ([title, process_]) => {
        running[title] = await startProcess(
          `${services.installation}-${name}-${title.replaceAll(" ", "-")}`,
          {
            ...process_,
            nodeArgs: [...profiling, ...(process_.nodeArgs ?? [])],
            environment: { ...environment, ...process_.environment },
          },
          folders,
        );
        await running[title].untilReady();
      }),
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
      processes: Object.fromEntries(Object.entries(running).map(([title, { pid }]) => [title, pid])),
      containers: [`${services.installation}-kafka`, `${services.installation}-postgres`],
    },
    end,
  };
};
