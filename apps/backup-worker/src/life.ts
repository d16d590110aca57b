import { type Life, type Operation, operationDone, ownResource } from "@deeplens/worker";
import { removeBackups } from "./compensate.ts";
import { type BackupServices, containerResource, tenantBackup } from "./tenant-backup.ts";

/**
 * A tenant's backups after their making. They go on while it is suspended: the agent is given the credentials that hold
 * then, as it is when the tenant is resumed. A purge takes them away, whatever is in them.
 *
 * @param refresh the operation that gives the agent its files anew
 */
export const backupLife = (services: BackupServices, refresh: Operation): Life => ({
  suspend: goesOn(services, refresh),
  resume: goesOn(services, refresh),
  purge: async ({ tenant, sagaId }, context) => {
    const backup = tenantBackup(tenant, context.installation);
    return operationDone(await removeBackups(services, backup, tenant, context, { sagaId }));
  },
});

const goesOn =
  (services: BackupServices, refresh: Operation): Operation =>
  async (command, context) => {
    const container = containerResource(services, tenantBackup(command.tenant, context.installation));
    const line = (outcome: string) => ({ kind: container.kind, name: container.name, outcome });
    if ((await ownResource(context, command.tenant, container)) === "absent")
      return operationDone([line("absent")]);
    return { ...(await refresh(command, context)), receipt: [line("goes-on")] };
  };
