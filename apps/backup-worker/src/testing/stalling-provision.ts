import { json } from "node:stream/consumers";
import { dockerEngine } from "@deeplens/containers";
import type { ProvisionCommand } from "@deeplens/worker";
import { memorySecrets, type StopAt, sayHowItEnded, stoppingAt, testContext } from "@deeplens/worker/testing";
import { backupStep } from "../step.ts";
import type { BackupServices } from "../tenant-backup.ts";
import { inMemory } from "./in-memory.ts";

// A process that provisions one tenant and stops itself, as SIGSTOP does, before or inside one of its calls. What it
// says at its end is how the step ended. Told by its standard input, for there are secrets in it.

/** What it is told. */
export interface Stall extends StopAt {
  readonly installation: string;
  readonly command: ProvisionCommand;
  readonly services: Omit<BackupServices, "engine" | keyof typeof inMemory>;
  readonly secrets: Readonly<Record<string, string>>;
}

const stall = (await json(process.stdin)) as Stall;
const { installation, command } = stall;
const { tenant } = command;
const secrets = memorySecrets();
for (const [purpose, value] of Object.entries(stall.secrets))
  await secrets.of(tenant.tenantId).ensure(purpose, () => value);
// When it goes on, its deadline has passed.
const deadline = new Date(Date.now() + 120_000);
const context = testContext({ step: "backup", tenant, installation, secrets, deadline });
const { env } = process;
const step = backupStep({
  ...stall.services,
  ...inMemory,
  engine: dockerEngine({ host: env.DOCKER_HOST ?? "" }),
});
await sayHowItEnded(() =>
  step.provision(
    command,
    stoppingAt(context, stall, () => void deadline.setTime(0)),
  ),
);
