import { thingsOf } from "@deeplens/containers";
import type { ReceiptLine } from "@deeplens/contracts";
import {
  PermanentStepError,
  removeResource,
  type StepContext,
  type Tenant,
  type UndoCommand,
} from "@deeplens/worker";
import { prefixOf, removeSome } from "./copies/copies.ts";
import { lookIntoVolume, strangeContents } from "./look-into-volume.ts";
import {
  type BackupServices,
  containerResource,
  keyPurpose,
  lookerResource,
  type TenantBackup,
  tenantBackup,
  tokenPurpose,
  volumeResource,
} from "./tenant-backup.ts";

/**
 * Takes a tenant's backups away: container, then volume, then (both seen gone, by name and by owner) the copies in the
 * bucket, token and data key. What is somebody else's stays.
 *
 * Before anything goes, the volume is looked into: it may hold backups of this very tenant, and nothing else.
 *
 * @throws PermanentStepError `not-empty` when something is in it that the tenant's making did not put there
 */
export const compensate = async (
  services: BackupServices,
  { tenant }: UndoCommand,
  context: StepContext,
): Promise<readonly ReceiptLine[]> => {
  const backup = tenantBackup(tenant, context.installation);
  if (await mayHoldSomething(services, backup, context)) {
    const strange = strangeContents(await lookIntoVolume(services, backup, tenant, context), tenant.tenantId);
    if (strange.length > 0)
      throw new PermanentStepError(
        "not-empty",
        `volume ${backup.volume} of tenant ${tenant.slug} holds ${strange.slice(0, 5).join("; ")}: not of this tenant's making; nothing was removed. Save or remove that, then retry the undo`,
      );
  }
  return removeBackups(services, backup, tenant, context);
};

/** Removes container, volume, copies, token and data key, whatever is in the volume; for a purge, by the mark of its saga. */
export const removeBackups = async (
  services: BackupServices,
  backup: TenantBackup,
  tenant: Tenant,
  context: StepContext,
  purge?: { readonly sagaId: string },
): Promise<readonly ReceiptLine[]> => {
  // One that an undo left when it died while it looked.
  await removeResource(context, tenant, lookerResource(services, backup), purge);
  const receipt = [
    await removeResource(context, tenant, containerResource(services, backup), purge),
    await removeResource(context, tenant, volumeResource(services, backup), purge),
  ];
  await seeNothingLeft(services, backup, context);
  // After the agent, of whom every copy is made: none is begun any more.
  receipt.push(...(await removeCopies(services, backup, context)));
  return [...receipt, await removeSecret(context, tokenPurpose), await removeSecret(context, keyPurpose)];
};

const atOnce = 100;

/**
 * Removes every copy of a tenant's backups. No mark is asked for: they lie under its id, which no other tenant ever has,
 * and go where its volume went, whose mark was asked for.
 */
const removeCopies = async (
  { bucket }: BackupServices,
  { tenantId }: TenantBackup,
  context: StepContext,
): Promise<readonly ReceiptLine[]> => {
  if (bucket === undefined) return [];
  const whose = { installation: context.installation, tenantId };
  let removed = 0;
  for (let last = -1; last !== 0; removed += last)
    last = await context.call("remove copies", (signal) => removeSome(bucket, whose, atOnce, signal));
  const outcome = removed > 0 ? "removed" : "absent";
  return [{ kind: "backup-copies", name: `${bucket.name}/${prefixOf(whose)}`, outcome }];
};

/** True when the volume is ours and was, or may have been, mounted. */
const mayHoldSomething = async (
  services: BackupServices,
  backup: TenantBackup,
  context: StepContext,
): Promise<boolean> => {
  const volume = volumeResource(services, backup);
  const sight = await context.call("look for backup-volume", (signal) => volume.look(signal));
  if (sight.found !== "labelled" || sight.owner !== backup.tenantId) return false;
  const image = await context.call("look for the image", (signal) =>
    services.engine.image(services.image, { signal }),
  );
  if (image !== undefined) return true;
  // Without the image no container can look. One that was never seen made has never run, so nothing was written.
  const container = containerResource(services, backup);
  const made = (await context.ledger.find(container))?.state === "made";
  if (made)
    throw new Error(
      `volume ${backup.volume} of tenant ${backup.slug} can't be looked into: the engine has no image ${services.image}; nothing was removed. Pull or build it, then retry the undo`,
    );
  return false;
};

/** Looks again, by owner: a thing of this tenant's under any other name is an orphan that only a person can judge. */
const seeNothingLeft = async (
  { engine }: BackupServices,
  { tenantId, slug }: TenantBackup,
  context: StepContext,
): Promise<void> => {
  const owner = { installation: context.installation, tenantId, service: "backup" };
  const left = await context.call("look for things by owner", (signal) => thingsOf(engine, owner, signal));
  if (left.length > 0)
    throw new Error(
      `still there with the labels of tenant ${slug}: ${left.join(", ")}. Remove what may go by hand, then retry the undo`,
    );
};

const removeSecret = async ({ secrets }: StepContext, purpose: string): Promise<ReceiptLine> => {
  const there = (await secrets.read(purpose)) !== undefined;
  if (there) await secrets.remove(purpose);
  return { kind: "secret", name: purpose, outcome: there ? "removed" : "absent" };
};
