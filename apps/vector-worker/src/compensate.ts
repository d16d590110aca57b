import { ownershipOf, thingsOf } from "@deeplens/containers";
import type { ReceiptLine } from "@deeplens/contracts";
import { PermanentStepError, removeResource, type StepContext, type UndoCommand } from "@deeplens/worker";
import { type QdrantAccess, strangeContents, waitUntilReady } from "./qdrant.ts";
import {
  apiKeyPurpose,
  containerResource,
  type TenantQdrant,
  tenantQdrant,
  urlOf,
  type VectorServices,
  volumeResource,
} from "./tenant-qdrant.ts";

// How long undo waits for a container that it looks into: one that never answered has little to show.
const lookMs = { answered: 20_000, never: 3_000 };

/**
 * Takes a tenant's Qdrant away: container, then volume, then the pair of ports (only once the container was seen gone,
 * by name and by owner), the key last. What is somebody else's stays.
 *
 * Before the container goes, what is in it is looked at. It can hold nothing where it was never started. Where it runs,
 * or can be started, it is asked. Where it can't be asked (it does not come up, its key is lost), the ledger decides:
 * a Qdrant that never answered anybody (`answered`, noted as soon as it did) holds nothing; any other is refused. That
 * it was looked at is noted (`emptied`) before the container goes, for an undo that dies in between.
 *
 * @throws PermanentStepError `not-empty` when something is in it that this project did not put there
 * @throws ContentsUnknownError when it can't be looked into and may hold something
 */
export const compensate = async (
  services: VectorServices,
  command: UndoCommand,
  context: StepContext,
): Promise<readonly ReceiptLine[]> => {
  const qdrant = tenantQdrant(command.tenant, context);
  const container = containerResource(services, qdrant, context.installation);
  const volume = volumeResource(services, qdrant, context.installation);
  await mayGo(services, qdrant, context);
  const receipt = [
    await removeResource(context, command.tenant, container),
    await removeResource(context, command.tenant, volume),
  ];
  await seeNothingLeft(services, qdrant, context);
  receipt.push(await freePorts(services, qdrant, context), await removeSecret(context, apiKeyPurpose));
  return receipt;
};

const mayGo = async (services: VectorServices, qdrant: TenantQdrant, context: StepContext): Promise<void> => {
  const { installation, ledger } = context;
  const volume = volumeResource(services, qdrant, installation);
  const isOurs = (thing: { labels: Readonly<Record<string, string>> } | undefined): boolean => {
    const ownership = ownershipOf(thing, installation);
    return ownership.found === "labelled" && ownership.owner === qdrant.tenantId;
  };
  const [container, data] = await context.call("see what is there", (signal) =>
    Promise.all([
      services.engine.container(qdrant.container, { signal }),
      services.engine.volume(qdrant.volume, { signal }),
    ]),
  );
  if (!isOurs(data)) return;
  const facts = (await ledger.find(volume))?.facts ?? {};
  if (container === undefined || !isOurs(container)) {
    if (facts.answered === "yes" && facts.emptied !== "yes")
      throw new ContentsUnknownError(qdrant, "its container was removed by somebody else");
    return;
  }
  if (!container.startedOnce) return;
  const strange = await lookInto(services, qdrant, context, facts.answered === "yes");
  if (strange !== undefined)
    throw new PermanentStepError(
      "not-empty",
      `${qdrant.container} of tenant ${qdrant.slug} holds ${strange}, which the tenant's making did not put there; nothing was removed. Save or remove that, then retry the undo`,
    );
  await ledger.intend(volume);
  await ledger.made(volume, { emptied: "yes" });
};

const lookInto = async (
  services: VectorServices,
  qdrant: TenantQdrant,
  context: StepContext,
  answered: boolean,
): Promise<string | undefined> => {
  const unknown = (why: string, cause?: unknown): undefined => {
    if (answered) throw new ContentsUnknownError(qdrant, why, cause);
    return undefined;
  };
  const apiKey = await context.secrets.read(apiKeyPurpose);
  if (apiKey === undefined) return unknown("its key is gone");
  const pair = await services.leases.find(qdrant.holder);
  if (pair === undefined) return unknown("its ports are no longer leased");
  const access: QdrantAccess = { url: urlOf(services, qdrant, pair), apiKey };
  try {
    await context.call("start qdrant-container", (signal) =>
      services.engine.start(qdrant.container, { signal }),
    );
    await context.call(
      "wait for qdrant",
      (signal) => waitUntilReady(access.url, { signal, stillThere: async () => {} }),
      { timeoutMs: answered ? lookMs.answered : lookMs.never },
    );
  } catch (error) {
    context.signal.throwIfAborted();
    return unknown(`it does not come up (${(error as Error).message})`, error);
  }
  return context.call("see what is in it", () => strangeContents(access, services.collection.name));
};

/** Whether the tenant's vectors may be removed can't be told. Time can help; else a person has to look. */
class ContentsUnknownError extends Error {
  readonly code = "contents-unknown";
  constructor(qdrant: TenantQdrant, why: string, cause?: unknown) {
    super(
      `${qdrant.container} of tenant ${qdrant.slug} was in use and can't be looked into: ${why}. Nothing was removed. If its data may go, remove container ${qdrant.container} and volume ${qdrant.volume} by hand, then retry the undo`,
      { cause },
    );
    this.name = "ContentsUnknownError";
  }
}

/** Looks again, by owner: a thing of this tenant's under any other name is an orphan that only a person can judge. */
export const seeNothingLeft = async (
  { engine }: VectorServices,
  { tenantId, slug }: TenantQdrant,
  context: StepContext,
): Promise<void> => {
  const owner = { installation: context.installation, tenantId, service: "qdrant" };
  const left = await context.call("look for things by owner", (signal) => thingsOf(engine, owner, signal));
  if (left.length > 0)
    throw new Error(
      `still there with the labels of tenant ${slug}: ${left.join(", ")}. Remove what may go by hand, then retry the undo`,
    );
};

/** Only once the container was seen gone. */
export const freePorts = async (
  { leases }: VectorServices,
  qdrant: TenantQdrant,
  context: StepContext,
): Promise<ReceiptLine> => {
  const pair = await context.call("free ports", () => leases.free(qdrant.holder));
  return pair === undefined
    ? { kind: "qdrant-ports", name: qdrant.container, outcome: "absent" }
    : { kind: "qdrant-ports", name: `${pair.httpPort}/${pair.grpcPort}`, outcome: "removed" };
};

export const removeSecret = async ({ secrets }: StepContext, purpose: string): Promise<ReceiptLine> => {
  const there = (await secrets.read(purpose)) !== undefined;
  if (there) await secrets.remove(purpose);
  return { kind: "secret", name: purpose, outcome: there ? "removed" : "absent" };
};
