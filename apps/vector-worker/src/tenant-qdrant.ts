import {
  type ContainerEngine,
  type ContainerLimits,
  type ContainerSpec,
  ownershipOf,
  type PublishedPort,
} from "@deeplens/containers";
import {
  containerName,
  networkName,
  type TenantId,
  type TierName,
  tenantLabels,
  tiers,
  volumeName,
} from "@deeplens/contracts";
import {
  type OperationDone,
  operationDone,
  type ResourcePort,
  type StepContext,
  type Tenant,
} from "@deeplens/worker";
import type { LeaseHolder, PortLeases, PortPair } from "./port-leases.ts";
import type { CollectionSpec } from "./qdrant.ts";

/** What the step works with. */
export interface VectorServices {
  readonly engine: ContainerEngine;
  readonly leases: PortLeases;
  readonly image: string;
  /** How this process reaches a tenant's Qdrant. */
  readonly reach: "network" | "published";
  /** The host's address that the leased ports are published on. */
  readonly publishAddress: string;
  readonly collection: CollectionSpec;
}

export const apiKeyPurpose = "vectors.api-key";
/** What opens it while the tenant is suspended: its backups are given it. */
export const backupKeyPurpose = "vectors.backup-key";

const httpPort = 6333;
const grpcPort = 6334;
const mostProcesses = 1_024;

/** One tenant's Qdrant: what its things are called, and what they are to be. */
export interface TenantQdrant {
  readonly tenantId: TenantId;
  readonly slug: string;
  readonly container: string;
  readonly volume: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly holder: LeaseHolder;
  /** Where the tenant's other services reach it. */
  readonly networkUrl: string;
}

export const tenantQdrant = (tenant: Tenant, context: StepContext): TenantQdrant => {
  const { installation, step, fence } = context;
  const { tenantId, slug } = tenant;
  const container = containerName(installation, "qdrant", slug);
  return {
    ...{ tenantId, slug, container },
    volume: volumeName(installation, "qdrant", slug),
    labels: tenantLabels(installation, "qdrant", tenant),
    holder: { tenantId, slug, step, fence },
    networkUrl: `http://${container}:${httpPort}`,
  };
};

/** Where this process reaches it. */
export const urlOf = (services: VectorServices, qdrant: TenantQdrant, pair: PortPair): string => {
  if (services.reach === "network") return qdrant.networkUrl;
  const anywhere = services.publishAddress === "0.0.0.0" || services.publishAddress === "::";
  const address = anywhere ? "127.0.0.1" : services.publishAddress;
  return `http://${address.includes(":") ? `[${address}]` : address}:${pair.httpPort}`;
};

type Removable = ResourcePort & { remove(signal: AbortSignal): Promise<void> };
type Creatable = ResourcePort & { create(signal: AbortSignal): Promise<void> };

export const volumeResource = (
  { engine }: VectorServices,
  qdrant: TenantQdrant,
  installation: string,
): Removable & Creatable => ({
  kind: "qdrant-volume",
  name: qdrant.volume,
  look: async (signal) => ownershipOf(await engine.volume(qdrant.volume, { signal }), installation),
  create: async (signal) => {
    await engine.ensureVolume({ name: qdrant.volume, labels: qdrant.labels }, { signal });
  },
  remove: (signal) => engine.removeVolume(qdrant.volume, { signal }),
});

export const containerResource = (
  { engine }: VectorServices,
  qdrant: TenantQdrant,
  installation: string,
): Removable => ({
  kind: "qdrant-container",
  name: qdrant.container,
  look: async (signal) => ownershipOf(await engine.container(qdrant.container, { signal }), installation),
  remove: (signal) => engine.removeContainer(qdrant.container, { signal }),
});

/** What an operation answers that changed how the container is opened. */
export const answer = (
  { container: name }: TenantQdrant,
  outcome: string,
  outputs?: OperationDone["outputs"],
): OperationDone => operationDone([{ kind: "qdrant-container", name, outcome }], outputs);

/** The container as it is to be made. Its key is not here: it comes in a file (see provision.ts). */
export const containerSpec = (
  services: VectorServices,
  qdrant: TenantQdrant,
  installation: string,
  pair: PortPair,
  tier: TierName,
): ContainerSpec => ({
  name: qdrant.container,
  image: services.image,
  labels: qdrant.labels,
  network: networkName(installation),
  volumes: [{ name: qdrant.volume, path: "/qdrant/storage" }],
  ports: publishedPorts(services, pair),
  limits: limitsOf(tier),
});

/** What a tier allows. */
export const limitsOf = (tier: TierName): ContainerLimits => ({
  memoryBytes: tiers[tier].vectorMemoryBytes,
  cpus: tiers[tier].vectorCpus,
  pids: mostProcesses,
});

export const publishedPorts = (services: VectorServices, pair: PortPair): PublishedPort[] => [
  { container: httpPort, address: services.publishAddress, host: pair.httpPort },
  { container: grpcPort, address: services.publishAddress, host: pair.grpcPort },
];
