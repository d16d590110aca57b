import { setTimeout as delay } from "node:timers/promises";
import type { StepContext } from "@deeplens/worker";
import type { AgentClient } from "./agent-client.ts";
import type { BackupServices, TenantBackup } from "./tenant-backup.ts";

const startMs = 60_000;
const pollMs = 50;
const patientMs = 5_000;

/**
 * Waits until the agent and what it backs up answer.
 *
 * @throws when the agent ends before, with its last words; when it is not ready in a minute, with its own reason
 */
export const waitForAgent = async (
  { engine }: BackupServices,
  { container, slug }: TenantBackup,
  context: StepContext,
  client: AgentClient,
): Promise<void> => {
  const began = Date.now();
  await context.call(
    "wait for the agent",
    async (signal) => {
      for (let told = false; ; ) {
        const reason = await client.notReady(signal);
        if (reason === undefined) return;
        const waitedMs = Date.now() - began;
        const sight = await engine.container(container, { signal });
        // An agent that can't start ends, and is started again by the engine: its last words tell why.
        if (sight?.exitCode !== undefined && sight.state !== "running") {
          const words = await engine.logs(container, { signal, lines: 5 });
          throw new Error(`${container} of tenant ${slug} ended before it was ready: ${words.trim()}`);
        }
        if (waitedMs > startMs - 2_000)
          throw new Error(`${container} of tenant ${slug} is not ready after a minute: ${reason}`);
        if (waitedMs > patientMs && !told) {
          context.progress(`waiting for ${container}: ${reason.slice(0, 200)}`);
          told = true;
        }
        await delay(pollMs, undefined, { signal });
      }
    },
    { timeoutMs: startMs },
  );
};
