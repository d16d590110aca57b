import { json } from "node:stream/consumers";
import { dockerEngine } from "@deeplens/containers";
import { createPool, type DatabaseAddress } from "@deeplens/postgres";
import { createLogger } from "@deeplens/telemetry";
import type { ProvisionCommand } from "@deeplens/worker";
import { memorySecrets, type StopAt, sayHowItEnded, stoppingAt, testContext } from "@deeplens/worker/testing";
import { type PortRange, postgresPortLeases } from "../port-leases.ts";
import { vectorStep } from "../step.ts";
import { apiKeyPurpose, type VectorServices } from "../tenant-qdrant.ts";

// A process that provisions one tenant and stops itself, as SIGSTOP does, before or inside one of its calls. What it
// says at its end is how the step ended. Told by its standard input, for there are secrets in it.

/** What it is told. */
export interface Stall extends StopAt {
  readonly installation: string;
  readonly command: ProvisionCommand;
  readonly services: Omit<VectorServices, "engine" | "leases">;
  readonly database: DatabaseAddress;
  readonly range: PortRange;
  readonly apiKey: string;
}

const stall = (await json(process.stdin)) as Stall;
const { installation, command, database, range } = stall;
const { tenant } = command;
const secrets = memorySecrets();
await secrets.of(tenant.tenantId).ensure(apiKeyPurpose, () => stall.apiKey);
// When it goes on, its deadline has passed.
const deadline = new Date(Date.now() + 120_000);
const context = testContext({ step: "vectors", tenant, installation, secrets, deadline });
const pool = createPool(database, { name: "stalling", log: createLogger("stalling", "silent") });
const leases = postgresPortLeases(pool, installation, range);
// biome-ignore lint/style/noProcessEnv: it stands in for main.ts
const engine = dockerEngine({ host: process.env.DOCKER_HOST ?? "" });
const step = vectorStep({ ...stall.services, engine, leases });
await sayHowItEnded(() =>
  step.provision(
    command,
    stoppingAt(context, stall, () => void deadline.setTime(0)),
  ),
);
