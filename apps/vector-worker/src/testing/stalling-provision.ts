import { json } from "node:stream/consumers";
import { dockerEngine } from "@deeplens/containers";
import { createPool, type DatabaseAddress } from "@deeplens/postgres";
import { createLogger } from "@deeplens/telemetry";
import type { ProvisionCommand, StepContext } from "@deeplens/worker";
import { memorySecrets, testContext } from "@deeplens/worker/testing";
import { type PortRange, postgresPortLeases } from "../port-leases.ts";
import { vectorStep } from "../step.ts";
import { apiKeyPurpose, type VectorServices } from "../tenant-qdrant.ts";

// A process that provisions one tenant and stops itself, as SIGSTOP does, before or inside one of its calls. What it
// says at its end is how the step ended. Told by its standard input, for there are secrets in it.

/** What it is told. */
export interface Stall {
  readonly installation: string;
  readonly command: ProvisionCommand;
  readonly services: Omit<VectorServices, "engine" | "leases">;
  readonly database: DatabaseAddress;
  readonly range: PortRange;
  readonly apiKey: string;
  readonly stopAt: string;
  readonly where: "before" | "inside";
}

const stall = (await json(process.stdin)) as Stall;
const { installation, command, database, range } = stall;
const { tenant } = command;
const secrets = memorySecrets();
await secrets.of(tenant.tenantId).ensure(apiKeyPurpose, () => stall.apiKey);
// When it goes on, its deadline has passed.
const deadline = new Date(Date.now() + 120_000);
const real = testContext({ step: "vectors", tenant, installation, secrets, deadline });
const stop = (): void => {
  process.kill(process.pid, "SIGSTOP");
  deadline.setTime(0);
};
const call: StepContext["call"] = (name, effect, options) => {
  if (name !== stall.stopAt) return real.call(name, effect, options);
  if (stall.where === "before") stop();
  const stopping = (signal: AbortSignal) => {
    const running = effect(signal);
    if (stall.where === "inside") stop();
    return running;
  };
  return real.call(name, stopping, options);
};

const pool = createPool(database, { name: "stalling", log: createLogger("stalling", "silent") });
const leases = postgresPortLeases(pool, installation, range);
// biome-ignore lint/style/noProcessEnv: it stands in for main.ts
const engine = dockerEngine({ host: process.env.DOCKER_HOST ?? "" });
try {
  await vectorStep({ ...stall.services, engine, leases }).provision(command, { ...real, call });
  console.log("provisioned");
} catch (error) {
  console.log(`${(error as Error).name}: ${(error as Error).message}`);
}
process.exit(0);
