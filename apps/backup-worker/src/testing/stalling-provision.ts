import { json } from "node:stream/consumers";
import { dockerEngine } from "@deeplens/containers";
import type { ProvisionCommand, StepContext } from "@deeplens/worker";
import { memorySecrets, testContext } from "@deeplens/worker/testing";
import { backupStep } from "../step.ts";
import type { BackupServices } from "../tenant-backup.ts";

// A process that provisions one tenant and stops itself, as SIGSTOP does, before or inside one of its calls. What it
// says at its end is how the step ended. Told by its standard input, for there are secrets in it.

/** What it is told. */
export interface Stall {
  readonly installation: string;
  readonly command: ProvisionCommand;
  readonly services: Omit<BackupServices, "engine">;
  readonly secrets: Readonly<Record<string, string>>;
  readonly stopAt: string;
  readonly where: "before" | "inside";
  readonly workMs: number;
}

const stall = (await json(process.stdin)) as Stall;
const { installation, command } = stall;
const { tenant } = command;
const secrets = memorySecrets();
for (const [purpose, value] of Object.entries(stall.secrets))
  await secrets.of(tenant.tenantId).ensure(purpose, () => value);
const deadline = new Date(Date.now() + stall.workMs);
const real = testContext({ step: "backup", tenant, installation, secrets, deadline });
const stop = (): void => void process.kill(process.pid, "SIGSTOP");
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

const { env } = process;
const step = backupStep({ ...stall.services, engine: dockerEngine({ host: env.DOCKER_HOST ?? "" }) });
try {
  await step.provision(command, { ...real, call });
  console.log("provisioned");
} catch (error) {
  console.log(`${(error as Error).name}: ${(error as Error).message}`);
}
process.exit(0);
