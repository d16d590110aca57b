import { agentBackupsFolder, type Contents, contentsSchema } from "@deeplens/backup";
import { ensureResource, removeResource, type StepContext, type Tenant } from "@deeplens/worker";
import { type BackupServices, lookerResource, type TenantBackup } from "./tenant-backup.ts";

/**
 * What lies in the tenant's volume, seen through a container of its own that lives for a moment: so it does not matter
 * whether the agent runs, can't start, or is gone.
 *
 * @throws when it can't be looked into
 */
export const lookIntoVolume = async (
  services: BackupServices,
  backup: TenantBackup,
  tenant: Tenant,
  context: StepContext,
): Promise<Contents> => {
  const { engine } = services;
  const looker = lookerResource(services, backup);
  await ensureResource(context, tenant, looker);
  await context.call("start the looker", (signal) => engine.start(backup.looker, { signal }));
  const listed = await context.call("look into backup-volume", (signal) =>
    engine.exec(backup.looker, ["node", "src/contents.ts", agentBackupsFolder], { signal }),
  );
  await removeResource(context, tenant, looker);
  if (listed.exitCode !== 0)
    throw new Error(
      `volume ${backup.volume} of tenant ${backup.slug} can't be looked into (exit code ${listed.exitCode}): ${listed.stderr.trim().slice(0, 1_000)}`,
    );
  return contentsSchema.parse(JSON.parse(listed.stdout));
};

/** What in a volume is not of this tenant's making, in words: nothing of it may be destroyed by an undo. */
export const strangeContents = (contents: Contents, tenantId: string): readonly string[] => [
  ...contents.unknown.map((name) => `${name}, which no backup made`),
  ...contents.damaged.map(({ id, reason }) => `${id}, whose owner can't be told (${reason})`),
  ...contents.backups
    .filter((manifest) => manifest.tenantId !== tenantId)
    .map(({ id, slug, tenantId: owner }) => `${id}, a backup of tenant ${slug} (${owner})`),
];
