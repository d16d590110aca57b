import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

/** Versions of the master key; new secrets are encrypted under the current one, old ones read under their own. */
export interface MasterKey {
  readonly current: string;
  readonly keys: ReadonlyMap<string, Buffer>;
}

export interface Sealed {
  readonly keyVersion: string;
  readonly nonce: Buffer;
  /** The cipher text, then the tag of 16 bytes. */
  readonly ciphertext: Buffer;
}

const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Reads a master key file: one line a version, `v1:<base64 of 32 bytes>`, the last one current. To rotate, add a line.
 *
 * @throws naming the line that is wrong, never showing what it holds
 */
export const parseMasterKey = (text: string): MasterKey => {
  const keys = new Map<string, Buffer>();
  let current = "";
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const [, version, base64] = /^(v[0-9]+):([A-Za-z0-9+/]+=*)\s*$/.exec(line) ?? [];
    const key = Buffer.from(base64 ?? "", "base64");
    if (version === undefined || key.length !== keyBytes)
      throw new Error(`line ${index + 1} of the master key must be v<number>:<base64 of ${keyBytes} bytes>`);
    if (keys.has(version)) throw new Error(`the master key has ${version} twice`);
    keys.set(version, key);
    current = version;
  }
  if (current === "") throw new Error("the master key is empty");
  return { current, keys };
};

/** A new master key file's line. */
export const newMasterKeyLine = (version = 1): string =>
  `v${version}:${randomBytes(keyBytes).toString("base64")}`;

/** Encrypts under the current version. `context` must be the same when it is read. */
export const seal = (masterKey: MasterKey, plain: string, context: readonly string[]): Sealed => {
  const nonce = randomBytes(nonceBytes);
  const keyVersion = masterKey.current; // asked once: a live key may change between two questions
  const cipher = createCipheriv("aes-256-gcm", keyOf(masterKey, keyVersion), nonce, {
    authTagLength: tagBytes,
  });
  cipher.setAAD(aadOf(context));
  const body = Buffer.concat([cipher.update(plain, "utf8"), cipher.final()]);
  return { keyVersion, nonce, ciphertext: Buffer.concat([body, cipher.getAuthTag()]) };
};

/** @throws where the key is another, the context is another, or the bytes were changed */
export const unseal = (masterKey: MasterKey, sealed: Sealed, context: readonly string[]): string => {
  const { ciphertext, nonce, keyVersion } = sealed;
  const decipher = createDecipheriv("aes-256-gcm", keyOf(masterKey, keyVersion), nonce, {
    authTagLength: tagBytes,
  });
  decipher.setAAD(aadOf(context));
  decipher.setAuthTag(ciphertext.subarray(ciphertext.length - tagBytes));
  const body = ciphertext.subarray(0, ciphertext.length - tagBytes);
  return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
};

const keyOf = (masterKey: MasterKey, version: string): Buffer => {
  const key = masterKey.keys.get(version);
  if (key === undefined)
    throw new Error(
      `a secret is encrypted under master key ${version}, which DEEPLENS_MASTER_KEY_FILE does not hold`,
    );
  return key;
};

const aadOf = (context: readonly string[]): Buffer => Buffer.from(JSON.stringify(context), "utf8");
