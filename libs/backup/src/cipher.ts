import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { Transform, type TransformCallback } from "node:stream";
import { type DataKey, fileKeyOf, keyIdOf } from "./data-key.ts";

// The file of a part: a header (magic 8, key id 8, salt 32), then chunks, each 64 KiB of the part encrypted by
// AES-256-GCM and its tag of 16 bytes; the last one is shorter, or empty. The nonce is 7 zero bytes, the chunk's number
// (4 bytes, big-endian) and 1 for the last chunk, else 0: chunks can't be left out, swapped or cut off unseen. The key
// is the file's own (data-key.ts), so a nonce is never used twice under one key.

const magic = Buffer.from("DLBAK\r\n\x01", "latin1");
const idBytes = 8;
const saltBytes = 32;
const headerBytes = magic.length + idBytes + saltBytes;
const chunkBytes = 64 * 1024;
const tagBytes = 16;
const algorithm = "aes-256-gcm";

/** Why a part's file can't be read. */
export type UnreadableCode = "wrong-key" | "damaged" | "cut-off";

export class UnreadableError extends Error {
  readonly code: UnreadableCode;
  constructor(code: UnreadableCode, message: string) {
    super(message);
    this.name = "UnreadableError";
    this.code = code;
  }
}

/**
 * Encrypts what passes through, in flat memory.
 *
 * @param name what the file is, `<tenant id>/<backup id>/<file>`: it opens under the same name only
 */
export const encrypting = (key: DataKey, name: string): Transform => {
  const salt = randomBytes(saltBytes);
  const fileKey = fileKeyOf(key, salt, name);
  const sealed = (plain: Buffer, number: number, last: boolean): Buffer => {
    const cipher = createCipheriv(algorithm, fileKey, nonceOf(number, last), { authTagLength: tagBytes });
    return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  };
  let number = 0;
  const chunks = inChunks(chunkBytes, (plain, last) => sealed(plain, number++, last));
  chunks.push(Buffer.concat([magic, Buffer.from(keyIdOf(key), "hex"), salt]));
  return chunks;
};

/** Undoes `encrypting`; nothing is passed on that was not authenticated. @throws UnreadableError, as the stream's error */
export const decrypting = (key: DataKey, name: string): Transform => {
  let header: Buffer | undefined = Buffer.alloc(0);
  let fileKey: Buffer = Buffer.alloc(0);
  let number = 0;

  /** What a chunk holds; undefined where its tag is not that of this key, number and end. */
  const opened = (sealed: Buffer, last: boolean): Buffer | undefined => {
    const decipher = createDecipheriv(algorithm, fileKey, nonceOf(number, last), { authTagLength: tagBytes });
    decipher.setAuthTag(sealed.subarray(sealed.length - tagBytes));
    const plain = decipher.update(sealed.subarray(0, sealed.length - tagBytes));
    try {
      decipher.final();
    } catch {
      return undefined; // GCM's last act only compares the tag: it has no other reason to fail, and its error has no code
    }
    return plain;
  };
  const open = (sealed: Buffer, last: boolean): Buffer => {
    if (sealed.length < tagBytes) throw cutOff();
    const plain = opened(sealed, last);
    if (plain === undefined) {
      if (last && opened(sealed, false) !== undefined) throw cutOff();
      throw new UnreadableError("damaged", `does not decrypt at byte ${headerBytes + number * sealedBytes}`);
    }
    number++;
    return plain;
  };
  const chunks = inChunks(sealedBytes, open);
  const pass = chunks._transform.bind(chunks);
  const end = chunks._flush.bind(chunks);
  chunks._transform = (bytes: Buffer, encoding, done) => {
    if (header === undefined) return pass(bytes, encoding, done);
    header = Buffer.concat([header, bytes]);
    if (header.length < headerBytes) return done();
    try {
      fileKey = fileKeyIn(header.subarray(0, headerBytes), key, name);
    } catch (error) {
      return done(error as Error);
    }
    const rest = header.subarray(headerBytes);
    header = undefined;
    return pass(rest, encoding, done);
  };
  chunks._flush = (done) => (header === undefined ? end(done) : done(cutOff()));
  return chunks;
};

const sealedBytes = chunkBytes + tagBytes;

const cutOff = (): UnreadableError => new UnreadableError("cut-off", "ends before its last chunk");

const fileKeyIn = (header: Buffer, key: DataKey, name: string): Buffer => {
  if (!header.subarray(0, magic.length).equals(magic))
    throw new UnreadableError("damaged", "is no file of a backup: it does not begin as one");
  const id = header.toString("hex", magic.length, magic.length + idBytes);
  const own = keyIdOf(key);
  if (id !== own)
    throw new UnreadableError("wrong-key", `is encrypted with the key ${id}, and the key given is ${own}`);
  return fileKeyOf(key, header.subarray(magic.length + idBytes), name);
};

const nonceOf = (number: number, last: boolean): Buffer => {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32BE(number, 7);
  nonce[11] = last ? 1 : 0;
  return nonce;
};

/** Cuts what passes through into chunks of `size` bytes; the last one (shorter, or empty) is known as such. */
const inChunks = (size: number, work: (chunk: Buffer, last: boolean) => Buffer): Transform => {
  let held: Buffer[] = [];
  let heldBytes = 0;
  const emit = (stream: Transform): void => {
    const whole = held.length === 1 ? (held[0] as Buffer) : Buffer.concat(held, heldBytes);
    let from = 0;
    for (; whole.length - from > size; from += size)
      stream.push(work(whole.subarray(from, from + size), false));
    const rest = whole.subarray(from);
    held = rest.length === 0 ? [] : [rest];
    heldBytes = rest.length;
  };
  const guarded = (done: TransformCallback, run: () => void): void => {
    try {
      run();
    } catch (error) {
      return done(error as Error);
    }
    done();
  };
  return new Transform({
    transform(this: Transform, bytes: Buffer, _encoding, done) {
      guarded(done, () => {
        if (bytes.length > 0) held.push(bytes);
        heldBytes += bytes.length;
        // One more than a chunk must be there: whether a chunk is the last one shows only then.
        if (heldBytes > size) emit(this);
      });
    },
    flush(this: Transform, done) {
      guarded(done, () => this.push(work(Buffer.concat(held, heldBytes), true)));
    },
  });
};
