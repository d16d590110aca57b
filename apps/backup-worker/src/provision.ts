import { type AgentSettings, agentFiles, agentFilesFolder, agentUser, pgpassText } from "@deeplens/backup";
import { type ContainerFile, type ContainerSight, hasCode } from "@deeplens/containers";
import {
  ensureResource,
  PermanentStepError,
  type ProvisionCommand,
  removeResource,
  type StepContext,
  type StepDone,
} from "@deeplens/worker";
import { agentClient } from "./agent-client.ts";
import { firstBackup } from "./first-backup.ts";
import { freePort } from "./free-port.ts";
import {
  agentSettings,
  agentUrl,
  type BackupServices,
  containerResource,
  retentionDays,
  schedule,
  type TenantBackup,
  tenantBackup,
  tokenPurpose,
  volumeResource,
} from "./tenant-backup.ts";
import { waitForAgent } from "./wait-for-agent.ts";

/**
 * Gives a tenant its backups: token, volume, container with the agent and its files in it; proven by a first backup
 * that is read back. What is there already is used; what a crash left half-made is finished.
 */
export const provision = async (
  services: BackupServices,
  command: ProvisionCommand,
  context: StepContext,
): Promise<StepDone> => {
  const { tenant } = command;
  const backup = tenantBackup(tenant, context.installation);
  const database = input(command, "database.database");
  const settings = agentSettings(services, backup, {
    database,
    user: input(command, "database.applicationRole"),
    vectorsUrl: input(command, "vectors.url"),
  });
  await context.call("look for the image", (signal) => imageIsThere(services, signal));
  const token = await context.secrets.ensure(tokenPurpose);
  const files = agentFilesOf(settings, {
    token: token.value,
    databasePassword: await secret(context, "database.app", tenant.slug),
    vectorsApiKey: await secret(context, "vectors.api-key", tenant.slug),
  });
  await ensureResource(context, tenant, volumeResource(services, backup));
  const sight = await startContainer(services, backup, command, context, files);
  const client = agentClient(agentUrl(services, backup, sight), token.value);
  await waitForAgent(services, backup, context, client);
  const first = await firstBackup(client, context, {
    tenantId: tenant.tenantId,
    slug: tenant.slug,
    database,
    collection: command.inputs["vectors.collection"],
  });
  return {
    outputs: {
      container: backup.container,
      volume: backup.volume,
      schedule,
      timeZone: services.timeZone,
      retentionDays: String(retentionDays),
      firstBackupId: first.id,
      tokenRef: token.reference,
    },
    resources: [
      { kind: "backup-container", name: backup.container },
      { kind: "backup-volume", name: backup.volume },
    ],
  };
};

const input = ({ inputs, tenant }: ProvisionCommand, name: string): string => {
  const value = inputs[name];
  if (value !== undefined && value !== "") return value;
  throw new PermanentStepError(
    "input-missing",
    `the command to back up tenant ${tenant.slug} lacks ${name}, which an earlier step puts out; replay the saga`,
  );
};

const secret = async ({ secrets }: StepContext, purpose: string, slug: string): Promise<string> => {
  const value = await secrets.read(purpose);
  if (value !== undefined) return value;
  throw new PermanentStepError(
    "secret-missing",
    `tenant ${slug} has no secret ${purpose}, which an earlier step makes; replay the saga`,
  );
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

/** Every file that the agent reads; the secrets are in files of their own, readable by the agent alone. */
const agentFilesOf = (
  settings: AgentSettings,
  secrets: { token: string; databasePassword: string; vectorsApiKey: string },
): readonly ContainerFile[] => {
  const file = (name: string, content: string): ContainerFile => ({
    path: `${agentFilesFolder}/${name}`,
    content,
    mode: 0o400,
    owner: agentUser,
  });
  return [
    file(agentFiles.settings, `${JSON.stringify(settings)}\n`),
    file(agentFiles.token, secrets.token),
    file(agentFiles.pgpass, pgpassText({ ...settings.database, password: secrets.databasePassword })),
    file(agentFiles.vectorsApiKey, secrets.vectorsApiKey),
  ];
};

/** The container with its files in it, running. */
const startContainer = async (
  services: BackupServices,
  backup: TenantBackup,
  { tenant }: ProvisionCommand,
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
