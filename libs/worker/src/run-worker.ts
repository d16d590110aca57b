import type { StepName } from "@deeplens/contracts";
import type { Pool } from "@deeplens/postgres";
import type { SecretStore } from "@deeplens/secrets";
import {
  controlDatabaseSettings,
  type HealthCheck,
  kafkaSettings,
  positive,
  processSettings,
} from "@deeplens/service";
import type { Logger } from "@deeplens/telemetry";
import { z } from "zod";
import type { StepHandler } from "./step.ts";

/** The environment that every worker reads; a worker spreads its own beside it. */
export const workerSettings = {
  ...processSettings,
  ...kafkaSettings,
  ...controlDatabaseSettings,
  DEEPLENS_MASTER_KEY: z.string().min(1),
  WORKER_CONCURRENCY: positive.default(8),
};

export type WorkerConfig = z.infer<z.ZodObject<typeof workerSettings>>;

/** What a worker builds once its services answer. */
export interface WorkerParts {
  readonly handler: StepHandler;
  /** Its own services, by name, for /health/ready. */
  readonly checks: Readonly<Record<string, HealthCheck>>;
  close?(): Promise<void>;
}

/** What runWorker hands to a worker's own wiring. */
export interface WorkerDependencies {
  readonly installation: string;
  readonly pool: Pool;
  readonly secrets: SecretStore;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Makes a step handler a worker process; returns when the signal is aborted and nothing is under way any more. */
export const runWorker = async (_options: {
  step: StepName;
  config: WorkerConfig;
  log: Logger;
  signal: AbortSignal;
  create(dependencies: WorkerDependencies): Promise<WorkerParts>;
}): Promise<void> => {
  throw new Error("to be written");
};
