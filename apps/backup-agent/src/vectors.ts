import { readFile } from "node:fs/promises";
import { Readable } from "node:stream";
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
  /** Makes the collection what the snapshot holds, in place of what was there; Qdrant checks its checksum. */
  recover(
    collection: string,
    snapshot: { readonly content: AsyncIterable<Buffer>; readonly bytes: number; readonly sha256: string },
    signal: AbortSignal,
  ): Promise<void>;
  /** Makes the aliases point to the collection. */
  point(collection: string, aliases: readonly string[], signal: AbortSignal): Promise<void>;
  /** A missing one succeeds. */
  remove(collection: string, signal: AbortSignal): Promise<void>;
  /** Rejects with the reason when it does not answer. */
  check(): Promise<void>;
}

/** What a restore that is tried out is named: never backed up, and swept before the next one. */
export const trialPrefix = ".deeplens-trial-";

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
  const send = async (
    method: string,
    path: string,
    signal: AbortSignal,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer> => {
    const apiKey = (await readFile(keyFile, "utf8")).trim();
    return request({
      url: new URL(path, url),
      method,
      headers: { ...headers, "api-key": apiKey },
      body,
      signal,
    });
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
  const told = async (what: string, answer: Answer, ...fine: readonly number[]): Promise<void> => {
    const text = await answer.text();
    if (!fine.includes(answer.status))
      throw new Error(`Qdrant answered ${answer.status} to ${what}: ${text.slice(0, 500)}`);
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
      await told(`the deletion of ${snapshot.name}`, answer, 200, 404);
    },
    recover: async (collection, { content, bytes, sha256 }, signal) => {
      const boundary = "deeplens-snapshot";
      const head = Buffer.from(
        `--${boundary}\r\ncontent-disposition: form-data; name="snapshot"; filename="a.snapshot"\r\ncontent-type: application/octet-stream\r\n\r\n`,
      );
      const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
      const form = async function* () {
        yield head;
        yield* content;
        yield tail;
      };
      const path = `${of(collection)}/snapshots/upload?priority=snapshot&wait=true&checksum=${sha256}`;
      const answer = await send("POST", path, signal, Readable.from(form(), { objectMode: false }), {
        "content-type": `multipart/form-data; boundary=${boundary}`,
        "content-length": String(head.length + bytes + tail.length),
      });
      await told(`the recovery of ${collection}`, answer, 200);
    },
    point: async (collection, aliases, signal) => {
      if (aliases.length === 0) return;
      const actions = aliases.map((alias) => ({
        create_alias: { collection_name: collection, alias_name: alias },
      }));
      await told("the aliases", await send("POST", "/collections/aliases", soon(signal), { actions }), 200);
    },
    remove: async (collection, signal) => {
      const answer = await send("DELETE", of(collection), soon(signal));
      await told(`the deletion of ${collection}`, answer, 200, 404);
    },
    check: async () => {
      await collections(AbortSignal.timeout(connectMs));
    },
  };
};

const connectMs = 3_000;
