import { type ContainerSight, hasCode, ownershipOf } from "@deeplens/containers";
import {
  ensureResource,
  ownedByOther,
  type PartCommand,
  PermanentStepError,
  removeResource,
  type StepContext,
  type StepDone,
} from "@deeplens/worker";
import { imageOf, keyFile, waitForQdrant } from "./container.ts";
import type { PortPair } from "./port-leases.ts";
import {
  CollectionDiffersError,
  ensureCollection,
  KeyNotAskedForError,
  proveCollection,
  proveKeyIsAskedFor,
  type QdrantAccess,
} from "./qdrant.ts";
import {
  apiKeyPurpose,
  containerResource,
  containerSpec,
  publishedPorts,
  type TenantQdrant,
  tenantQdrant,
  urlOf,
  type VectorServices,
  volumeResource,
} from "./tenant-qdrant.ts";

/**
 * Gives a tenant its Qdrant: key, pair of ports, volume, container, first collection; proven with the key, and proven
 * to refuse without. What is there already is used; what a crash left half-made is finished.
 */
export const provision = async (
  services: VectorServices,
  command: PartCommand,
  context: StepContext,
): Promise<StepDone> => {
  const { collection } = services;
  const qdrant = tenantQdrant(command.tenant, context);
  const image = await context.call("look for the image", (signal) => imageOf(services, signal));
  const key = await context.secrets.ensure(apiKeyPurpose);
  const volume = volumeResource(services, qdrant, context.installation);
  await refusing(qdrant, volume, () => ensureResource(context, command.tenant, volume));
  const pair = await startOnFreePorts(services, qdrant, command, context, {
    apiKey: key.value,
    user: image.user,
  });
  const access = { url: urlOf(services, qdrant, pair), apiKey: key.value };
  await waitForQdrant(services, qdrant, context, access);
  // From here on somebody may have been answered by it: undo looks into it before it removes it (compensate.ts).
  await context.ledger.made(volume, { answered: "yes", emptied: "no" });
  await proveInUse(services, qdrant, context, access);
  return {
    outputs: {
      container: qdrant.container,
      volume: qdrant.volume,
      httpPort: String(pair.httpPort),
      grpcPort: String(pair.grpcPort),
      url: qdrant.networkUrl,
      collection: collection.name,
      vectorSize: String(collection.size),
      apiKeyRef: key.reference,
    },
    resources: [
      { kind: "qdrant-container", name: qdrant.container },
      { kind: "qdrant-volume", name: qdrant.volume },
      { kind: "qdrant-ports", name: `${pair.httpPort}/${pair.grpcPort}` },
      { kind: "qdrant-collection", name: collection.name },
    ],
  };
};

/**
 * Leases a pair of ports and starts the container on it. A pair that turns out to be bound by another program is given
 * up, for an hour, and the next one taken: the container is made again for it (its data lie in the volume).
 */
const startOnFreePorts = async (
  services: VectorServices,
  qdrant: TenantQdrant,
  command: PartCommand,
  context: StepContext,
  key: { apiKey: string; user: string },
): Promise<PortPair> => {
  for (;;) {
    const pair = await context.call("lease ports", () => services.leases.ensure(qdrant.holder));
    await ensureContainer(services, qdrant, command, context, pair, key);
    try {
      await context.call("start qdrant-container", (signal) =>
        services.engine.start(qdrant.container, { signal }),
      );
      return pair;
    } catch (error) {
      if (!hasCode(error, "port-taken")) throw error;
      context.progress(
        `ports ${pair.httpPort}/${pair.grpcPort} are bound by another program; taking the next`,
      );
      context.log.warn({ ...pair, reason: error.message }, "a leased port is bound by another program");
      // Seen gone first, then given up.
      await removeContainer(services, qdrant, command, context);
      await context.call("give ports up", () => services.leases.giveUp(qdrant.holder, pair));
    }
  }
};

/** The container of that pair, with its key in it, ready to be started. */
const ensureContainer = async (
  services: VectorServices,
  qdrant: TenantQdrant,
  command: PartCommand,
  context: StepContext,
  pair: PortPair,
  key: { apiKey: string; user: string },
): Promise<void> => {
  const { engine } = services;
  const { installation } = context;
  const found = await context.call("see qdrant-container", (signal) =>
    engine.container(qdrant.container, { signal }),
  );
  // An earlier try's creation, for a pair that was given up since, may have landed late.
  const ofOtherPorts = isOfOtherPorts(services, qdrant, installation, found, pair);
  if (ofOtherPorts) await removeContainer(services, qdrant, command, context);
  const spec = containerSpec(services, qdrant, installation, pair, command.tier);
  const container = {
    ...containerResource(services, qdrant, installation),
    create: async (signal: AbortSignal) => void (await engine.ensureContainer(spec, { signal })),
  };
  await refusing(qdrant, container, () => ensureResource(context, command.tenant, container));
  // What was started has its key, for every try uses the stored one.
  if (found?.startedOnce === true && !ofOtherPorts) return;
  await context.call("put the api key", (signal) =>
    engine.putFiles(qdrant.container, [keyFile(key, key.user)], { signal }),
  );
};

const isOfOtherPorts = (
  services: VectorServices,
  qdrant: TenantQdrant,
  installation: string,
  sight: ContainerSight | undefined,
  pair: PortPair,
): boolean => {
  const ownership = ownershipOf(sight, installation);
  if (ownership.found === "nothing" || ownership.owner !== qdrant.tenantId) return false;
  const has = new Set(sight?.ports.map((port) => `${port.container} ${port.host}`));
  return !publishedPorts(services, pair).every((port) => has.has(`${port.container} ${port.host}`));
};

const removeContainer = async (
  services: VectorServices,
  qdrant: TenantQdrant,
  command: PartCommand,
  context: StepContext,
): Promise<void> => {
  await removeResource(context, command.tenant, containerResource(services, qdrant, context.installation));
};

const proveInUse = async (
  { collection }: VectorServices,
  { slug }: TenantQdrant,
  context: StepContext,
  access: QdrantAccess,
): Promise<void> => {
  try {
    await context.call("ensure qdrant-collection", () => ensureCollection(access, collection));
    await context.call("prove the key is asked for", (signal) => proveKeyIsAskedFor(access.url, signal));
    await context.call("prove an upsert and a query", () => proveCollection(access, collection));
  } catch (error) {
    if (error instanceof KeyNotAskedForError)
      throw new PermanentStepError("api-key-not-asked-for", `tenant ${slug}: ${error.message}`, {
        cause: error,
      });
    if (error instanceof CollectionDiffersError)
      throw new PermanentStepError("collection-differs", `tenant ${slug}: ${error.message}`, {
        cause: error,
      });
    throw error;
  }
};

/** A thing that somebody else made between our look and our making is refused as one that was there before. */
const refusing = async <T>(
  { slug }: TenantQdrant,
  key: { kind: string; name: string },
  work: () => Promise<T>,
): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (hasCode(error, "owned-by-other")) throw ownedByOther(key, slug);
    throw error;
  }
};
