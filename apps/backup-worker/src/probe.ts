import { type BackupListing, manifestFile, startOf } from "@deeplens/backup";
import { accessKey, type TenantId } from "@deeplens/contracts";
import {
  drift,
  needed,
  type Operation,
  type OperationCommand,
  probed,
  type StepContext,
} from "@deeplens/worker";
import { agentClient } from "./agent-client.ts";
import type { Bucket } from "./copies/bucket.ts";
import { type Copies, type CopiesOf, listCopies, prefixOf } from "./copies/copies.ts";
import { agentUrl, type BackupServices, tenantBackup, tokenPurpose } from "./tenant-backup.ts";

/** Looks at a tenant's backups through its agent, with the agent's own token, and at their copies; changes nothing. */
export const probeBackups =
  (services: BackupServices): Operation =>
  (command, context) => {
    const listing = (signal: AbortSignal) => listingOf(services, command, context, signal);
    const { bucket } = services;
    return probed(context, {
      backup: async (signal) => factsOf(await listing(signal)),
      ...(bucket !== undefined && {
        copies: async (signal) => {
          const whose = { installation: context.installation, tenantId: command.tenant.tenantId };
          const copies = await listCopies(bucket, whose, signal);
          await proveClosed(bucket, whose, copies, context, signal);
          return copyFactsOf(bucket, await listing(signal), copies, new Date());
        },
      }),
    });
  };

const listingOf = async (
  services: BackupServices,
  { tenant }: Pick<OperationCommand, "tenant">,
  context: StepContext,
  signal: AbortSignal,
): Promise<BackupListing> => {
  const backup = tenantBackup(tenant, context.installation);
  const sight = await services.engine.container(backup.container, { signal });
  if (sight === undefined) throw drift(`the container ${backup.container} is not there`);
  if (sight.state !== "running") throw drift(`the container ${backup.container} is ${sight.state}`);
  const token = needed(await context.secrets.read(tokenPurpose), "the agent's token");
  const client = agentClient(agentUrl(services, backup, sight), token);
  const unready = await client.notReady(signal);
  if (unready !== undefined) throw new Error(`the agent is not ready: ${unready.slice(0, 300)}`);
  return client.list(signal);
};

/** @throws where the tenant's own key opens its copies */
const proveClosed = async (
  bucket: Bucket,
  whose: CopiesOf,
  { whole }: Copies,
  context: StepContext,
  signal: AbortSignal,
): Promise<void> => {
  // Of a bucket of its own here; a tenant that brings its own storage has no key of this installation's.
  const [stored] = await context.secrets.versions("storage.service-account");
  if (stored === undefined) return;
  const keys = {
    // Of two that take turns (docs/decisions/0030).
    accessKey: accessKey(whose.tenantId as TenantId, "service-account", stored.login),
    secretKey: stored.value,
  };
  const prefix = prefixOf(whose);
  const key = `${prefix}${whole.at(-1)?.id ?? "none"}/${manifestFile}`;
  if (await bucket.letsIn(keys, { prefix, key }, signal))
    throw drift(
      `the tenant's own storage key opens its copies in ${bucket.name}: take that right away from it`,
    );
};

// What was just taken may still be under way.
const copiedWithinMs = 3 * 3_600_000;

/**
 * What a tenant's copies are like.
 *
 * @throws where a backup that was taken some hours ago has no copy, nor a newer one has
 */
export const copyFactsOf = (
  { name }: Pick<Bucket, "name">,
  { backups }: Pick<BackupListing, "backups">,
  { whole }: Copies,
  now: Date,
): Readonly<Record<string, string>> => {
  const newest = whole.at(-1);
  const wanted = backups.findLast(
    ({ finishedAt }) => now.getTime() - Date.parse(finishedAt) > copiedWithinMs,
  );
  if (wanted !== undefined && (newest === undefined || startOf(newest.id) < startOf(wanted.id)))
    throw drift(
      `the backup ${wanted.id} of ${wanted.finishedAt} is not in ${name} yet; ${newest === undefined ? "no backup is" : `the newest one there is ${newest.id}`}: the backup worker's log says why`,
    );
  return {
    bucket: name,
    copies: String(whole.length),
    ...(newest !== undefined && { newestCopy: newest.id }),
  };
};

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
