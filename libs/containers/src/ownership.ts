import { labelNames } from "@deeplens/contracts";
import type { ContainerEngine, Labels } from "./engine.ts";

/** What a look at a thing of the engine tells of its owner (a worker's `Sight`). */
export type Ownership = { found: "nothing" } | { found: "labelled"; owner: string };

/**
 * Whose a container or volume is, by its labels: the tenant id where it belongs to this installation. The engine makes
 * a thing and its labels in one act, so one without them was never ours, whatever a ledger says of an intent: it is
 * told as labelled by a stranger.
 */
export const ownershipOf = (thing: { labels: Labels } | undefined, installation: string): Ownership => {
  if (thing === undefined) return { found: "nothing" };
  const owner = thing.labels[labelNames.tenantId];
  if (owner === undefined) return { found: "labelled", owner: "somebody without our labels" };
  const its = thing.labels[labelNames.installation];
  return { found: "labelled", owner: its === installation ? owner : `${owner} of installation ${its}` };
};

/**
 * Every container and volume of one service of a tenant, in words (`container acme`), by its labels alone: whatever its
 * name is.
 */
export const thingsOf = async (
  engine: Pick<ContainerEngine, "list">,
  owner: { readonly installation: string; readonly tenantId: string; readonly service: string },
  signal: AbortSignal,
): Promise<readonly string[]> => {
  const labels = {
    [labelNames.installation]: owner.installation,
    [labelNames.tenantId]: owner.tenantId,
    [labelNames.service]: owner.service,
  };
  const { containers, volumes } = await engine.list(labels, { signal });
  return [
    ...containers.map(({ name }) => `container ${name}`),
    ...volumes.map(({ name }) => `volume ${name}`),
  ];
};

/** True when every label that is asked for is there. */
export const bears = (labels: Labels, asked: Labels): boolean =>
  Object.entries(asked).every(([name, value]) => labels[name] === value);
