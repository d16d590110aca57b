import { setTimeout as delay } from "node:timers/promises";
import { QdrantClient } from "@qdrant/js-client-rest";

export const distances = ["Cosine", "Dot", "Euclid", "Manhattan"] as const;
export type Distance = (typeof distances)[number];

export interface CollectionSpec {
  readonly name: string;
  /** Numbers in a vector. */
  readonly size: number;
  readonly distance: Distance;
}

/** One tenant's Qdrant, as its key opens it. */
export interface QdrantAccess {
  readonly url: string;
  readonly apiKey: string;
}

// The one point that the proof writes, queries and removes; a crash in between leaves it, and undo knows it as ours.
export const probePointId = "d33b1e05-0000-4000-8000-000000000001";

const requestMs = 10_000;

/**
 * Waits until Qdrant says that it is ready (which it tells without a key). Looks every 25 ms at first: the whole saga
 * waits for this.
 *
 * @param stillThere called about once a second; it throws to end the wait (the container ended, say)
 * @throws the signal's reason
 */
export const waitUntilReady = async (
  url: string,
  options: { signal: AbortSignal; stillThere: () => Promise<void> },
): Promise<void> => {
  const began = Date.now();
  let lastLook = began;
  for (;;) {
    if (await isReady(url, options.signal)) return;
    options.signal.throwIfAborted();
    if (Date.now() - lastLook > 1_000) {
      await options.stillThere();
      lastLook = Date.now();
    }
    await delay(Date.now() - began < 2_000 ? 25 : 250, undefined, { signal: options.signal });
  }
};

/**
 * Headers by which a connection is not kept for the next call: Qdrant may have been started again meanwhile, and where
 * its address changed with that (Podman) nothing answers on the old one, not even by a refusal.
 */
export const unkept = { connection: "close" };

const isReady = async (url: string, signal: AbortSignal): Promise<boolean> => {
  try {
    const soon = AbortSignal.any([signal, AbortSignal.timeout(1_000)]);
    const response = await fetch(`${url}/readyz`, { headers: unkept, signal: soon });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    // It does not listen yet; whoever waits has a deadline, and looks whether the container is still there.
    return false;
  }
};

/** Makes the collection, or finds it as asked for. @throws CollectionDiffersError */
export const ensureCollection = async (access: QdrantAccess, spec: CollectionSpec): Promise<void> => {
  const client = clientOf(access);
  if (!(await client.collectionExists(spec.name)).exists) {
    try {
      await client.createCollection(spec.name, {
        vectors: { size: spec.size, distance: spec.distance },
      });
    } catch (error) {
      // An earlier try's request may have come through only now: what is there decides.
      if (!(await client.collectionExists(spec.name)).exists) throw error;
    }
  }
  const { vectors } = (await client.getCollection(spec.name)).config.params;
  if (vectors?.size !== spec.size || vectors.distance !== spec.distance)
    throw new CollectionDiffersError(spec, `${vectors?.size} numbers, ${vectors?.distance}`);
};

/** The collection is there with another size or distance. */
export class CollectionDiffersError extends Error {
  constructor(spec: CollectionSpec, found: string) {
    super(
      `collection ${spec.name} is there with ${found}, not with ${spec.size} numbers, ${spec.distance}: VECTOR_SIZE or VECTOR_DISTANCE was changed while this tenant was made`,
    );
    this.name = "CollectionDiffersError";
  }
}

/** What is in it: how many points in each collection, and the server's version. */
export const look = async (
  { url, apiKey }: QdrantAccess,
  signal: AbortSignal,
): Promise<{ version: string; points: Readonly<Record<string, number>> }> => {
  const response = await fetch(`${url}/`, { headers: { "api-key": apiKey, ...unkept }, signal });
  const { version } = (await response.json()) as { version?: string };
  const client = clientOf({ url, apiKey });
  const { collections } = await client.getCollections();
  const counts = await Promise.all(
    collections.map(async ({ name }) => [name, (await client.count(name, { exact: false })).count] as const),
  );
  return { version: version ?? "", points: Object.fromEntries(counts) };
};

/**
 * Proves the collection in use: a point is written, found as its own nearest, and removed.
 * @throws Error when it is not found
 */
export const proveCollection = async (access: QdrantAccess, spec: CollectionSpec): Promise<void> => {
  const client = clientOf(access);
  const vector = new Array<number>(spec.size).fill(0);
  vector[0] = 1;
  await client.upsert(spec.name, { wait: true, points: [{ id: probePointId, vector }] });
  const { points } = await client.query(spec.name, { query: vector, limit: 1 });
  await client.delete(spec.name, { wait: true, points: [probePointId] });
  if (points[0]?.id !== probePointId)
    throw new Error(`collection ${spec.name} did not find the point that was just written to it`);
};

/**
 * Asks for the collections with no key and with a wrong one.
 * @throws KeyNotAskedForError when either is answered
 */
export const proveKeyIsAskedFor = async (url: string, signal: AbortSignal): Promise<void> => {
  for (const key of [{}, { "api-key": "not-the-key" }]) {
    const response = await fetch(`${url}/collections`, { headers: { ...key, ...unkept }, signal });
    await response.arrayBuffer();
    if (response.ok) throw new KeyNotAskedForError();
    if (response.status !== 401 && response.status !== 403)
      throw new Error(`Qdrant answered ${response.status} where it should have asked for the key`);
  }
};

/** The container answers everybody. */
export class KeyNotAskedForError extends Error {
  constructor() {
    super("Qdrant answers without its key: its image does not read /qdrant/config/local.yaml");
    this.name = "KeyNotAskedForError";
  }
}

/**
 * What is in it that this project did not put there, in words; undefined where there is nothing of the sort.
 */
export const strangeContents = async (
  access: QdrantAccess,
  collection: string,
): Promise<string | undefined> => {
  const client = clientOf(access);
  const { collections } = await client.getCollections();
  const others = collections.map(({ name }) => name).filter((name) => name !== collection);
  if (others.length > 0) return `collections ${others.join(", ")}`;
  if (collections.length === 0) return undefined;
  const { points } = await client.scroll(collection, { limit: 2, with_payload: false, with_vector: false });
  return points.some(({ id }) => id !== probePointId) ? `points in collection ${collection}` : undefined;
};

// The key goes as a header of ours: given as `apiKey`, the client warns on the console that the connection is not
// encrypted, which inside the installation's network it is not.
const clientOf = ({ url, apiKey }: QdrantAccess): QdrantClient =>
  new QdrantClient({
    url,
    headers: { "api-key": apiKey },
    timeout: requestMs,
    checkCompatibility: false,
    maxConnections: 1,
  });
