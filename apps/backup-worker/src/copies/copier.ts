import { type BackupId, type BackupListing, expiredBackups, parseDataKey, startOf } from "@deeplens/backup";
import { labelNames, type TenantId } from "@deeplens/contracts";
import { type Pool, withConnection } from "@deeplens/postgres";
import type { SecretStore } from "@deeplens/secrets";
import { pause } from "@deeplens/service";
import type { Logger } from "@deeplens/telemetry";
import { agentClient } from "../agent-client.ts";
import { agentUrl, type BackupServices, keyPurpose, tokenPurpose } from "../tenant-backup.ts";
import type { Bucket } from "./bucket.ts";
import { type Copies, copyBackup, listCopies, removeCopy, removePartialCopies } from "./copies.ts";

// Copies every tenant's backups into the bucket, one at a time: only the backup worker has the bucket's key, no tenant's
// container does. What is to be copied follows from what lies where, so nothing is lost by a crash; two processes that
// copied the same would write the same bytes, and an advisory lock spares them that.

export interface CopyOptions {
  readonly services: BackupServices & { readonly bucket: Bucket };
  readonly installation: string;
  readonly secrets: SecretStore;
  readonly log: Logger;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

export interface CopierOptions extends CopyOptions {
  readonly pool: Pool;
  readonly everyMs: number;
}

/** Looks every so often what there is to copy, until the signal; resolves when nothing is under way any more. */
export const runCopier = async (options: CopierOptions): Promise<void> => {
  const { everyMs, log, signal } = options;
  while (!signal.aborted) {
    await alone(options, () => copyAll(options)).catch((error: unknown) => {
      if (!signal.aborted) log.error({ err: error }, "backups could not be copied to the bucket");
    });
    await pause(everyMs, signal);
  }
};

/** Only one process of the installation copies. */
const alone = ({ pool }: CopierOptions, work: () => Promise<void>): Promise<void> =>
  withConnection(pool, async (connection) => {
    const lock = "hashtextextended('deeplens backup copies', 0)";
    const { rows } = await connection.query<{ mine: boolean }>(
      `SELECT pg_try_advisory_lock(${lock}) AS mine`,
    );
    if (rows[0]?.mine !== true) return;
    try {
      await work();
    } finally {
      await connection.query(`SELECT pg_advisory_unlock(${lock})`);
    }
  });

/** One round over all tenants; what fails for one is logged, and is tried again in the next round. */
export const copyAll = async (options: CopyOptions): Promise<void> => {
  const { services, installation, log, signal } = options;
  const labels = { [labelNames.installation]: installation, [labelNames.service]: "backup" };
  const { containers } = await services.engine.list(labels, { signal });
  for (const { name, labels: its } of containers) {
    if (signal.aborted) return;
    if (name.includes("_")) continue; // looks into a volume for a moment
    const [tenantId, slug] = [its[labelNames.tenantId], its[labelNames.tenant]];
    if (tenantId === undefined || slug === undefined) continue;
    try {
      await copyTenant(options, { container: name, tenantId: tenantId as TenantId });
    } catch (error) {
      if (!signal.aborted) log.error({ err: error, tenant: slug }, "a tenant's backups were not copied");
    }
  }
};

const askMs = 20_000;

const copyTenant = async (
  { services, installation, secrets, log, now, signal }: CopyOptions,
  { container, tenantId }: { readonly container: string; readonly tenantId: TenantId },
): Promise<void> => {
  const { engine, bucket } = services;
  const soon = (): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(askMs)]);
  const sight = await engine.container(container, { signal });
  if (sight?.state !== "running") return;
  const its = secrets.of(tenantId);
  const [token, dataKey] = [await its.read(tokenPurpose), await its.read(keyPurpose)];
  // Being made, or being removed.
  if (token === undefined || dataKey === undefined) return;
  const client = agentClient(agentUrl(services, { container }, sight), token);
  const listing = await client.list(soon());
  const whose = { installation, tenantId };
  const copies = await listCopies(bucket, whose, soon());
  const expired = expiredIn(listing, copies, now());
  const copied = new Set(copies.whole.map(({ id }) => id));
  // The newest first: it is the one that counts most.
  for (const manifest of listing.backups.toReversed()) {
    if (copied.has(manifest.id) || expired.has(manifest.id)) continue;
    const beganAt = now().getTime();
    await copyBackup(bucket, whose, { manifest, key: parseDataKey(dataKey), client }, signal);
    log.info(
      { tenant: manifest.slug, backup: manifest.id, durationMs: now().getTime() - beganAt },
      "a backup was copied into the bucket, and read back from there",
    );
  }
  // Only now: old ones are never thrown away while new ones can't be copied.
  for (const { id } of copies.whole)
    if (expired.has(id)) {
      await removeCopy(bucket, whose, id, signal);
      log.info({ tenantId, backup: id, retentionDays: listing.retentionDays }, "removed an expired copy");
    }
  const there = new Set(listing.backups.map(({ id }) => id));
  await removePartialCopies(bucket, { copies, there, now: now() }, signal);
};

/** What is past its time, wherever it lies; the newest of all stays. */
const expiredIn = (
  { backups, retentionDays }: BackupListing,
  { whole }: Copies,
  now: Date,
): ReadonlySet<BackupId> => {
  // An agent of an earlier image does not say for how long: then nothing is.
  if (retentionDays === undefined) return new Set();
  const ids = new Set([...backups, ...whole].map(({ id }) => id));
  const dated = [...ids].map((id) => ({ id, finishedAt: startOf(id).toISOString() }));
  return new Set(expiredBackups(dated, now, retentionDays));
};
