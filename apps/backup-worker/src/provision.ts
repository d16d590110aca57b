import { type ContainerFile, type ContainerSight, hasCode } from "@deeplens/containers";
import {
  ensureResource,
  type PartCommand,
  removeResource,
  type StepContext,
  type StepDone,
} from "@deeplens/worker";
import { agentClient } from "./agent-client.ts";
import { agentFilesOf } from "./agent-files.ts";
import { firstBackup } from "./first-backup.ts";
import { freePort } from "./free-port.ts";
import {
  agentUrl,
  type BackupServices,
  containerResource,
  type TenantBackup,
  tenantBackup,
  volumeResource,
} from "./tenant-backup.ts";
import { waitForAgent } from "./wait-for-agent.ts";

/**
 * Gives a tenant its backups: token, volume, container with the agent and its files in it; proven by a first backup
 * that is read back. What is there already is used; what a crash left half-made is finished.
 */
export const provision = async (
  services: BackupServices,
  command: PartCommand,
  context: StepContext,
): Promise<StepDone> => {
  const { tenant } = command;
  const backup = tenantBackup(tenant, context.installation);
  await context.call("look for the image", (signal) => imageIsThere(services, signal));
  const { files, token, settings } = await agentFilesOf(services, command, context);
  await ensureResource(context, tenant, volumeResource(services, backup));
  const sight = await startContainer(services, backup, command, context, files);
  const client = agentClient(agentUrl(services, backup, sight), token.value);
  await waitForAgent(services, backup, context, client);
  const first = await firstBackup(client, context, {
    tenantId: tenant.tenantId,
    slug: tenant.slug,
    database: settings.database.database,
    collection: command.inputs["vectors.collection"],
  });
  return {
    outputs: {
      container: backup.container,
      volume: backup.volume,
      schedule: settings.schedule,
      timeZone: settings.timeZone,
      retentionDays: String(settings.retentionDays),
      firstBackupId: first.id,
      tokenRef: token.reference,
    },
    resources: [
      { kind: "backup-container", name: backup.container },
      { kind: "backup-volume", name: backup.volume },
    ],
  };
};

/** Asked before anything is made: a volume that nothing ever mounted needs no look before its removal. */
const imageIsThere = async ({ engine, image }: BackupServices, signal: AbortSignal): Promise<void> => {
  if ((await engine.image(image, { signal })) === undefined) throw new ImageMissingError(image);
};

/** Time can help: an operator pulls or builds it. */
class ImageMissingError extends Error {
  readonly code = "image-missing";
  constructor(image: string) {
    super(
      `the engine has no image ${image}: pull or build it (\`npm start\` does), or correct BACKUP_IMAGE; no tenant gets its backups before`,
    );
    this.name = "ImageMissingError";
  }
}

/** The container with its files in it, running. */
const startContainer = async (
  services: BackupServices,
  backup: TenantBackup,
  { tenant }: PartCommand,
  context: StepContext,
  files: readonly ContainerFile[],
): Promise<ContainerSight> => {
  const { engine } = services;
  const resource = containerResource(services, backup, () => freePort(services.reach));
  await ensureResource(context, tenant, resource);
  const sight = await context.call("see backup-container", (signal) =>
    engine.container(backup.container, { signal }),
  );
  if (sight === undefined) throw new Error(`${backup.container} went away while it was made`);
  // What was started once has its files, for every try uses the stored secrets.
  if (!sight.startedOnce)
    await context.call("put the agent's files", (signal) =>
      engine.putFiles(backup.container, files, { signal }),
    );
  try {
    await context.call("start backup-container", (signal) => engine.start(backup.container, { signal }));
  } catch (error) {
    // Its free port was taken in between: the next try chooses another one.
    if (hasCode(error, "port-taken")) await removeResource(context, tenant, resource);
    throw error;
  }
  return sight;
};
