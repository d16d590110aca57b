import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { PassThrough, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";
import { decrypting, encrypting } from "./cipher.ts";
import type { DataKey } from "./data-key.ts";

/** What a manifest says of a file: as it lies there, and as the part was before it was compressed and encrypted. */
export interface Digest {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly plainSha256: string;
  readonly plainBytes: number;
}

/** How a part is compressed before it is encrypted: `none` where what comes in is compressed already. */
export type Compression = "none" | "zstd";

export interface PartFile {
  readonly path: string;
  readonly key: DataKey;
  /** What it is encrypted as (cipher.ts). */
  readonly name: string;
  readonly compression: Compression;
}

/** The name that a file of a backup is encrypted as. */
export const partName = (tenantId: string, backup: string, file: string): string =>
  `${tenantId}/${backup}/${file}`;

/**
 * Writes a part as it comes in, compressed and encrypted, in flat memory, and flushes it to the disk. The checksums are
 * of what came in, not of what the disk gives back: reading back compares the two.
 *
 * @throws when the source fails, the disk is full, the file exists, or the signal is aborted
 */
export const writePart = async (
  source: NodeJS.ReadableStream,
  { path, key, name, compression }: PartFile,
  signal: AbortSignal,
): Promise<Digest> => {
  const [plain, written] = [digesting(), digesting()];
  await pipeline(
    source,
    plain.through,
    compression === "zstd" ? createZstdCompress({ params: quick }) : new PassThrough(),
    encrypting(key, name),
    written.through,
    createWriteStream(path, { flags: "wx", mode: 0o600, flush: true }),
    { signal },
  );
  return digestOf(written, plain);
};

// Each chunk is a way to another thread and back.
const chunkSize = 128 * 1024;
const quick = { [constants.ZSTD_c_compressionLevel]: 1 };

/** Reads all that it is given; it may end before that, and the rest is then read for the checksums alone. */
export type PartReader = (plain: AsyncIterable<Buffer>) => Promise<void>;

/**
 * Reads a part back as it was before it was compressed and encrypted, in flat memory.
 *
 * @returns its digest: the caller compares it with the manifest's
 * @throws UnreadableError for a file that does not decrypt; what `read` throws; the disk's error; the signal's reason
 */
export const readPart = async (
  { path, key, name, compression }: PartFile,
  read: PartReader,
  signal: AbortSignal,
): Promise<Digest> => {
  const [plain, written] = [digesting(), digesting()];
  await pipeline(
    createReadStream(path, { highWaterMark: 256 * 1024 }),
    written.through,
    decrypting(key, name),
    compression === "zstd" ? createZstdDecompress({ chunkSize }) : new PassThrough(),
    plain.through,
    toItsEnd(read),
    { signal },
  );
  return digestOf(written, plain);
};

/** Reads nothing: only the part's passing through counts. */
export const readNothing: PartReader = async () => {};

/**
 * The same without its digest, for a part that is restored from: each chunk is authenticated, and so are their order and
 * their end, before it is handed on; the digest would only say so again.
 */
export const openPart = async (
  { path, key, name, compression }: PartFile,
  read: PartReader,
  signal: AbortSignal,
): Promise<void> => {
  await pipeline(
    createReadStream(path, { highWaterMark: 256 * 1024 }),
    decrypting(key, name),
    compression === "zstd" ? createZstdDecompress({ chunkSize }) : new PassThrough(),
    toItsEnd(read),
    { signal },
  );
};

/** Hands the chunks to a reader, and goes on without it when it has read enough. */
const toItsEnd =
  (read: PartReader) =>
  async (plain: AsyncIterable<Buffer>): Promise<void> => {
    const chunks = plain[Symbol.asyncIterator]();
    // A reader that ends its loop must not end the stream: what is after that is read here.
    await read({ [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }) });
    while (!(await chunks.next()).done) {
      // only its passing through counts
    }
  };

interface Digesting {
  readonly through: Transform;
  sum(): { sha256: string; bytes: number };
}

const digesting = (): Digesting => {
  const hash = createHash("sha256");
  let bytes = 0;
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  return { through, sum: () => ({ sha256: hash.digest("hex"), bytes }) };
};

const digestOf = (written: Digesting, plain: Digesting): Digest => {
  const [file, content] = [written.sum(), plain.sum()];
  return {
    sha256: file.sha256,
    sizeBytes: file.bytes,
    plainSha256: content.sha256,
    plainBytes: content.bytes,
  };
};
