import { readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { z } from "zod";
import { type Answer, request } from "./request.ts";

/** A snapshot that lies in the tenant's Qdrant until it is deleted there. */
export interface RemoteSnapshot {
  readonly collection: string;
  readonly name: string;
}

/** The tenant's Qdrant, as far as a backup needs it. */
export interface Vectors {
  version(signal: AbortSignal): Promise<string>;
  collections(signal: AbortSignal): Promise<readonly string[]>;
  points(collection: string, signal: AbortSignal): Promise<number>;
  aliases(collection: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Makes a snapshot; `sha256` where the server says it. */
  snapshot(
    collection: string,
    signal: AbortSignal,
  ): Promise<RemoteSnapshot & { readonly sha256: string | undefined }>;
  download(snapshot: RemoteSnapshot, signal: AbortSignal): Promise<Readable>;
  /** A missing one succeeds. */
  forget(snapshot: RemoteSnapshot, signal: AbortSignal): Promise<void>;
  /** Rejects with the reason when it does not answer. */
  check(): Promise<void>;
}

const questionMs = 30_000;

const versionAnswer = z.object({ version: z.string().min(1) });
const collectionsAnswer = z.object({
  result: z.object({ collections: z.array(z.object({ name: z.string().min(1) })) }),
});
const countAnswer = z.object({ result: z.object({ count: z.int().nonnegative() }) });
const aliasesAnswer = z.object({
  result: z.object({ aliases: z.array(z.object({ alias_name: z.string() })) }),
});
const snapshotAnswer = z.object({
  result: z.object({ name: z.string().min(1), checksum: z.string().nullish() }),
});

/** Qdrant by its REST interface; `keyFile` holds the tenant's API key. */
export const qdrantVectors = (url: string, keyFile: string): Vectors => {
  const send = async (method: string, path: string, signal: AbortSignal, body?: unknown): Promise<Answer> => {
    const apiKey = (await readFile(keyFile, "utf8")).trim();
    return request({ url: new URL(path, url), method, headers: { "api-key": apiKey }, body, signal });
  };
  const ask = async <T>(
    what: string,
    schema: z.ZodType<T>,
    method: string,
    path: string,
    signal: AbortSignal,
    body?: unknown,
  ): Promise<T> => {
    const answer = await send(method, path, signal, body);
    const text = await answer.text();
    if (answer.status !== 200)
      throw new Error(`Qdrant answered ${answer.status} to ${what}: ${text.slice(0, 500)}`);
    return schema.parse(JSON.parse(text));
  };
  const soon = (signal: AbortSignal): AbortSignal =>
    AbortSignal.any([signal, AbortSignal.timeout(questionMs)]);
  const of = (collection: string): string => `/collections/${encodeURIComponent(collection)}`;
  const snapshotPath = ({ collection, name }: RemoteSnapshot): string =>
    `${of(collection)}/snapshots/${encodeURIComponent(name)}`;

  const collections = async (signal: AbortSignal): Promise<readonly string[]> => {
    const { result } = await ask(
      "the list of collections",
      collectionsAnswer,
      "GET",
      "/collections",
      soon(signal),
    );
    return result.collections.map(({ name }) => name).sort();
  };

  return {
    collections,
    version: async (signal) => (await ask("its version", versionAnswer, "GET", "/", soon(signal))).version,
    points: async (collection, signal) => {
      const path = `${of(collection)}/points/count`;
      const { result } = await ask("a count", countAnswer, "POST", path, soon(signal), { exact: true });
      return result.count;
    },
    aliases: async (collection, signal) => {
      const path = `${of(collection)}/aliases`;
      const { result } = await ask("the list of aliases", aliasesAnswer, "GET", path, soon(signal));
      return result.aliases.map((alias) => alias.alias_name).sort();
    },
    snapshot: async (collection, signal) => {
      // No deadline but the backup's own: a large collection takes its time.
      const path = `${of(collection)}/snapshots?wait=true`;
      const { result } = await ask(`a snapshot of ${collection}`, snapshotAnswer, "POST", path, signal);
      return { collection, name: result.name, sha256: result.checksum ?? undefined };
    },
    download: async (snapshot, signal) => {
      const answer = await send("GET", snapshotPath(snapshot), signal);
      if (answer.status === 200) return answer.body;
      throw new Error(
        `Qdrant answered ${answer.status} to the download of ${snapshot.name}: ${(await answer.text()).slice(0, 500)}`,
      );
    },
    forget: async (snapshot, signal) => {
      const answer = await send("DELETE", `${snapshotPath(snapshot)}?wait=true`, soon(signal));
      const text = await answer.text();
      if (answer.status !== 200 && answer.status !== 404)
        throw new Error(
          `Qdrant answered ${answer.status} to the deletion of ${snapshot.name}: ${text.slice(0, 500)}`,
        );
    },
    check: async () => {
      await collections(AbortSignal.timeout(connectMs));
    },
  };
};

const connectMs = 3_000;
