import {
  type Life,
  type Operation,
  type OperationCommand,
  ownResource,
  type StepContext,
} from "@deeplens/worker";
import { removeBackups } from "./compensate.ts";
import { type BackupServices, containerResource, tenantBackup } from "./tenant-backup.ts";

/**
 * A tenant's backups after their making. They go on while it is suspended: the agent is given the credentials that hold
 * then, as it is when the tenant is resumed. A purge takes them away, whatever is in them.
 *
 * @param refresh the operation that gives the agent its files anew
 */
export const backupLife = (services: BackupServices, refresh: Operation): Life => ({
  suspend: (command, context) => goesOn(services, refresh, command, context),
  resume: (command, context) => goesOn(services, refresh, command, context),
  purge: async ({ tenant, sagaId }, context) => {
    const backup = tenantBackup(tenant, context.installation);
    const receipt = await removeBackups(services, backup, tenant, context, { sagaId });
    return { outputs: {}, resources: [], receipt };
  },
});

const goesOn = async (
  services: BackupServices,
  refresh: Operation,
  command: OperationCommand,
  context: StepContext,
): ReturnType<Operation> => {
  const container = containerResource(services, tenantBackup(command.tenant, context.installation));
  const line = (outcome: string) => ({ kind: container.kind, name: container.name, outcome });
  if ((await ownResource(context, command.tenant, container)) === "absent")
    return { outputs: {}, resources: [], receipt: [line("absent")] };
  return { ...(await refresh(command, context)), receipt: [line("goes-on")] };
};
