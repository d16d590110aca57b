import { agentBackupsFolder, agentPort, type WrappedKey } from "@deeplens/backup";
import {
  type ContainerEngine,
  type ContainerSight,
  type ContainerSpec,
  hasCode,
  type Labels,
  ownershipOf,
  type PublishedPort,
} from "@deeplens/containers";
import { containerName, type TenantId, tenantLabels, volumeName } from "@deeplens/contracts";
import { ownedByOther, type ResourcePort, type Tenant } from "@deeplens/worker";
import type { Bucket } from "./copies/bucket.ts";

/** What the step works with. */
export interface BackupServices {
  readonly engine: ContainerEngine;
  readonly image: string;
  /** The installation's network, where the agents reach Postgres and their Qdrant. */
  readonly network: string;
  readonly reach: "network" | "published";
  readonly timeZone: string;
  /** The tenants' Postgres and Redis, as the agents see them. */
  readonly databaseServer: { readonly host: string; readonly port: number };
  readonly redisServer: { readonly host: string; readonly port: number };
  /** A data key as the installation's master key wraps it: it goes into each backup's manifest. */
  readonly wrapKey: (tenantId: TenantId, key: string) => WrappedKey;
  /** What Kafka tells of a topic. */
  readonly describeTopic: (topic: string) => Promise<{
    readonly partitions: number;
    readonly config: Readonly<Record<string, string>>;
  }>;
  /** Where copies of the backups are kept; undefined where the installation has none. */
  readonly bucket: Bucket | undefined;
  /** A tenant's own, where it was not told others. */
  readonly habits: Habits;
}

/** When a tenant is backed up, and what is kept. */
export interface Habits {
  /** Cron's five fields, in the installation's time zone. */
  readonly schedule: string;
  readonly retentionDays: number;
  readonly spreadMs: number;
  readonly drillDays: number;
}

export const defaultHabits: Habits = {
  schedule: "0 2 * * *",
  retentionDays: 30,
  spreadMs: 3_600_000,
  drillDays: 7,
};

/** The agent's bearer token. */
export const tokenPurpose = "backup.token";
/** The tenant's data key: without it no backup of the tenant can be read. */
export const keyPurpose = "backup.key";

/** A tenant's backup container by its names. */
export interface TenantBackup {
  readonly tenantId: TenantId;
  readonly slug: string;
  readonly installation: string;
  readonly container: string;
  readonly volume: string;
  /**
   * A container that lives for a moment, to look into the volume. With `_`, which no slug has: it can't be another
   * tenant's.
   */
  readonly looker: string;
  readonly labels: Labels;
}

export const tenantBackup = (tenant: Tenant, installation: string): TenantBackup => {
  const { tenantId, slug } = tenant;
  const container = containerName(installation, "backup", tenant.slug);
  return {
    ...{ tenantId, slug, installation, container },
    volume: volumeName(installation, "backup", tenant.slug),
    looker: `${container}_look`,
    labels: tenantLabels(installation, "backup", tenant),
  };
};

export type EngineResource = ResourcePort & {
  create(signal: AbortSignal): Promise<void>;
  remove(signal: AbortSignal): Promise<void>;
};

export const volumeResource = ({ engine }: BackupServices, backup: TenantBackup): EngineResource => {
  const { volume: name, labels, installation, slug } = backup;
  const key = { kind: "backup-volume", name };
  return {
    ...key,
    look: async (signal) => ownershipOf(await engine.volume(name, { signal }), installation),
    create: (signal) => refusing(key, slug, () => engine.ensureVolume({ name, labels }, { signal })),
    remove: (signal) => engine.removeVolume(name, { signal }),
  };
};

/** The agent's container; `ports` asks for the ports to publish only when it is really made. */
export const containerResource = (
  services: BackupServices,
  backup: TenantBackup,
  ports: () => Promise<readonly PublishedPort[]> = async () => [],
): EngineResource =>
  engineContainer(services, backup, backup.container, async () => ({
    ports: await ports(),
  }));

/** A container that sleeps beside the volume, so that what is in it can be listed. */
export const lookerResource = (services: BackupServices, backup: TenantBackup): EngineResource =>
  engineContainer(services, backup, backup.looker, async () => ({ ports: [], command: ["sleep", "120"] }));

// A dump and a download stream through: what is used is Node's own, and pg_dump's list of tables.
const limits = { memoryBytes: 384 * 1024 ** 2, cpus: 1, pids: 128 };

const engineContainer = (
  { engine, image, network }: BackupServices,
  { installation, slug, labels, volume }: TenantBackup,
  name: string,
  rest: () => Promise<Pick<ContainerSpec, "ports" | "command">>,
): EngineResource => {
  const key = { kind: "backup-container", name };
  const volumes = [{ name: volume, path: agentBackupsFolder }];
  return {
    ...key,
    look: async (signal) => ownershipOf(await engine.container(name, { signal }), installation),
    create: async (signal) => {
      const spec = { name, image, labels, network, volumes, limits, ...(await rest()) };
      await refusing(key, slug, () => engine.ensureContainer(spec, { signal }));
    },
    remove: (signal) => engine.removeContainer(name, { signal }),
  };
};

/** Where this process reaches the agent. */
export const agentUrl = (
  { reach }: BackupServices,
  { container }: Pick<TenantBackup, "container">,
  sight: Pick<ContainerSight, "ports">,
): string => {
  if (reach === "network") return `http://${container}:${agentPort}`;
  const published = sight.ports.find((port) => port.container === agentPort);
  if (published === undefined)
    throw new Error(
      `${container} publishes no port: it was made with BACKUP_REACH=network, and this process has BACKUP_REACH=published`,
    );
  return `http://${published.address}:${published.host}`;
};

/** A thing that somebody else made between our look and our making is refused as one that was there before. */
const refusing = async (
  key: { kind: string; name: string },
  slug: string,
  work: () => Promise<unknown>,
): Promise<void> => {
  try {
    await work();
  } catch (error) {
    if (hasCode(error, "owned-by-other")) throw ownedByOther(key, slug);
    throw error;
  }
};
