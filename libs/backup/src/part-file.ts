import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

/** What a manifest says of a file. */
export interface Digest {
  readonly sha256: string;
  readonly sizeBytes: number;
}

/**
 * Writes a part as it comes in, in flat memory, and flushes it to the disk. The checksum is of what came in, not of
 * what the disk gives back: reading back compares the two.
 *
 * @throws when the source fails, the disk is full, the file exists, or the signal is aborted
 */
export const writePart = async (
  source: NodeJS.ReadableStream,
  path: string,
  signal: AbortSignal,
): Promise<Digest> => {
  const { through, digest } = digesting();
  await pipeline(source, through, createWriteStream(path, { flags: "wx", mode: 0o600, flush: true }), {
    signal,
  });
  return digest();
};

/** The digest of a file on the disk, in flat memory. */
export const digestOf = async (path: string, signal: AbortSignal): Promise<Digest> => {
  const { through, digest } = digesting();
  await pipeline(createReadStream(path), through, drain, { signal });
  return digest();
};

const digesting = (): { through: Transform; digest(): Digest } => {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  const through = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(null, chunk);
    },
  });
  return { through, digest: () => ({ sha256: hash.digest("hex"), sizeBytes }) };
};

const drain = async (source: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of source) {
    // only its passing through counts
  }
};
