import { argon2, createCipheriv, createDecipheriv, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";

// How MinIO's admin API hides bodies that hold secrets:
//   salt[32] | id[1] | nonce[8] | chunks of at most 16,384 bytes, each followed by its tag[16].
// The nonce of a chunk is nonce[8] and its number (from 1) as uint32 little-endian; its additional data is a flag
// (0x80 for the last, else 0x00) and the tag of an empty text under number 0. `id` names the key and the cipher:
// 0 = argon2id, AES-256-GCM; 1 = argon2id, ChaCha20-Poly1305; 2 = PBKDF2-SHA256, AES-256-GCM.
const saltBytes = 32;
const nonceBytes = 8;
const tagBytes = 16;
const chunkBytes = 16_384;
const headBytes = saltBytes + 1 + nonceBytes;
const lastFlag = 0x80;

type CipherName = "aes-256-gcm" | "chacha20-poly1305";

/** Encrypts a body under a secret key (id 2). Salt and nonce are random; tests give them. */
export const encrypt = async (
  secretKey: string,
  data: Uint8Array,
  random: { salt: Uint8Array; nonce: Uint8Array } = {
    salt: randomBytes(saltBytes),
    nonce: randomBytes(nonceBytes),
  },
): Promise<Buffer> => {
  const key = await pbkdf2Key(secretKey, random.salt);
  const head = Buffer.concat([random.salt, Uint8Array.of(2), random.nonce]);
  const associated = associatedTag("aes-256-gcm", key, random.nonce);
  const chunks = chunksOf(data, chunkBytes).map((chunk, index, all) => {
    const cipher = cipherOf("aes-256-gcm", key, nonceOf(random.nonce, index + 1));
    cipher.setAAD(additionalData(index === all.length - 1, associated), { plaintextLength: chunk.length });
    return Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()]);
  });
  return Buffer.concat([head, ...chunks]);
};

/**
 * Decrypts a reply. Its key is argon2id as a rule, which takes about 100 ms and 64 MiB.
 *
 * @throws when it was not made with this key, was cut or was changed
 */
export const decrypt = async (secretKey: string, body: Uint8Array): Promise<Buffer> => {
  if (body.length < headBytes + tagBytes)
    throw new Error(`an encrypted reply of ${body.length} bytes is too short`);
  const salt = body.subarray(0, saltBytes);
  const id = body[saltBytes];
  const nonce = body.subarray(saltBytes + 1, headBytes);
  const { name, key } = await keyOf(id, secretKey, salt);
  const associated = associatedTag(name, key, nonce);
  const chunks = chunksOf(body.subarray(headBytes), chunkBytes + tagBytes).map((chunk, index, all) => {
    const decipher = decipherOf(name, key, nonceOf(nonce, index + 1));
    decipher.setAAD(additionalData(index === all.length - 1, associated), { plaintextLength: chunk.length });
    decipher.setAuthTag(chunk.subarray(-tagBytes));
    return Buffer.concat([decipher.update(chunk.subarray(0, -tagBytes)), decipher.final()]);
  });
  return Buffer.concat(chunks);
};

const keyOf = async (
  id: number | undefined,
  secretKey: string,
  salt: Uint8Array,
): Promise<{ name: CipherName; key: Buffer }> => {
  switch (id) {
    case 0:
      return { name: "aes-256-gcm", key: await argon2Key(secretKey, salt) };
    case 1:
      return { name: "chacha20-poly1305", key: await argon2Key(secretKey, salt) };
    case 2:
      return { name: "aes-256-gcm", key: await pbkdf2Key(secretKey, salt) };
    default:
      throw new Error(`a reply is encrypted in a way that is not known here (id ${id})`);
  }
};

const pbkdf2Key = (secretKey: string, salt: Uint8Array): Promise<Buffer> =>
  promisify(pbkdf2)(secretKey, salt, 8192, 32, "sha256");

const argon2Key = (secretKey: string, salt: Uint8Array): Promise<Buffer> =>
  promisify(argon2)("argon2id", {
    message: secretKey,
    nonce: salt,
    passes: 1,
    memory: 65_536,
    parallelism: 4,
    tagLength: 32,
  });

// At least one chunk: an empty text is one tag.
const chunksOf = (data: Uint8Array, size: number): Uint8Array[] => {
  const count = Math.max(1, Math.ceil(data.length / size));
  return Array.from({ length: count }, (_, index) => data.subarray(index * size, (index + 1) * size));
};

const nonceOf = (nonce: Uint8Array, sequence: number): Buffer => {
  const whole = Buffer.alloc(nonceBytes + 4);
  whole.set(nonce);
  whole.writeUInt32LE(sequence, nonceBytes);
  return whole;
};

const additionalData = (last: boolean, associated: Buffer): Buffer =>
  Buffer.concat([Uint8Array.of(last ? lastFlag : 0), associated]);

const associatedTag = (name: CipherName, key: Buffer, nonce: Uint8Array): Buffer => {
  const cipher = cipherOf(name, key, nonceOf(nonce, 0));
  cipher.final();
  return cipher.getAuthTag();
};

const options = { authTagLength: tagBytes } as const;

const cipherOf = (name: CipherName, key: Buffer, nonce: Buffer) =>
  name === "aes-256-gcm"
    ? createCipheriv(name, key, nonce, options)
    : createCipheriv(name, key, nonce, options);

const decipherOf = (name: CipherName, key: Buffer, nonce: Buffer) =>
  name === "aes-256-gcm"
    ? createDecipheriv(name, key, nonce, options)
    : createDecipheriv(name, key, nonce, options);
