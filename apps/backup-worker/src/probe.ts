import type { BackupListing } from "@deeplens/backup";
import { drift, needed, type Operation, probed } from "@deeplens/worker";
import { agentClient } from "./agent-client.ts";
import { agentUrl, type BackupServices, tenantBackup, tokenPurpose } from "./tenant-backup.ts";

/** Looks at a tenant's backups through its agent, with the agent's own token; changes nothing. */
export const probeBackups =
  (services: BackupServices): Operation =>
  ({ tenant }, context) =>
    probed(context, {
      backup: async (signal) => {
        const backup = tenantBackup(tenant, context.installation);
        const sight = await services.engine.container(backup.container, { signal });
        if (sight === undefined) throw drift(`the container ${backup.container} is not there`);
        if (sight.state !== "running") throw drift(`the container ${backup.container} is ${sight.state}`);
        const token = needed(await context.secrets.read(tokenPurpose), "the agent's token");
        const client = agentClient(agentUrl(services, backup, sight), token);
        const unready = await client.notReady(signal);
        if (unready !== undefined) throw new Error(`the agent is not ready: ${unready.slice(0, 300)}`);
        return factsOf(await client.list(signal));
      },
    });

/**
 * What a tenant's backups are like.
 *
 * @throws where there is none, the last one that was due failed, or one is damaged
 */
export const factsOf = (listing: BackupListing): Readonly<Record<string, string>> => {
  const { backups, damaged, lastDrill, lastFailure, nextAt } = listing;
  const newest = backups.toSorted((one, other) => one.finishedAt.localeCompare(other.finishedAt)).at(-1);
  if (newest === undefined) throw drift("there is no backup");
  if (lastFailure !== undefined && lastFailure.at > newest.finishedAt)
    throw drift(
      `the ${lastFailure.what} of ${lastFailure.at} failed: ${lastFailure.error}; the last backup is of ${newest.finishedAt}`,
    );
  if (damaged[0] !== undefined)
    throw drift(`${damaged.length} backups are damaged: ${damaged[0].id} (${damaged[0].reason})`);
  const sizes = newest.parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return {
    lastBackupAt: newest.finishedAt,
    sizeBytes: String(sizes),
    backups: String(backups.length),
    ...(lastDrill === undefined ? { provenRestore: "none yet" } : { provenRestoreAt: lastDrill.finishedAt }),
    ...(nextAt === undefined ? {} : { nextAt }),
  };
};
