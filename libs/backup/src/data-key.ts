import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto";

// A tenant's data key: 32 random bytes, a secret of the store (and so wrapped by the master key). Nothing is encrypted
// with it directly: each use derives a key of its own.

/** A tenant's data key. */
export type DataKey = Buffer & { readonly __brand: "DataKey" };

const keyBytes = 32;

/** A new data key as the secret store and the key's file hold it: base64url. */
export const newDataKey = (): string => randomBytes(keyBytes).toString("base64url");

/** @throws when it is not 32 bytes as base64url; never says what it is */
export const parseDataKey = (text: string): DataKey => {
  const key = Buffer.from(text.trim(), "base64url");
  if (key.length !== keyBytes)
    throw new Error(`a backup's key must be ${keyBytes} bytes as base64url, and has ${key.length}`);
  return key as DataKey;
};

/** Names a key without telling it: the first 8 bytes, as hex, of what is derived for that. */
export const keyIdOf = (key: DataKey): string =>
  derived(key, Buffer.alloc(0), "key-id").toString("hex", 0, 8);

/** A file's own key: salted, and bound to whose it is, so that one file can't stand in for another. */
export const fileKeyOf = (key: DataKey, salt: Uint8Array, name: string): Buffer =>
  derived(key, salt, `file ${name}`);

/** Signs a manifest's text. */
export const manifestMac = (key: DataKey, text: string): string =>
  createHmac("sha256", derived(key, Buffer.alloc(0), "manifest"))
    .update(text)
    .digest("hex");

export const sameMac = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

const derived = (key: DataKey, salt: Uint8Array, use: string): Buffer =>
  Buffer.from(hkdfSync("sha256", key, salt, `deeplens-backup-1 ${use}`, keyBytes));
