import type { IHeaders } from "@deeplens/messaging";
import type { StoredHeader, StoredHeaders } from "../store/write-batch.ts";

/** Headers as the outbox keeps them: bytes that are no text survive as base64. */
export const storedHeadersOf = (headers: IHeaders): StoredHeaders =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      if (value === undefined) return [];
      return [[storable(name), Array.isArray(value) ? value.map(storedOf) : storedOf(value)]];
    }),
  );

/** The same headers, as they came. */
export const headersFrom = (stored: StoredHeaders): IHeaders => {
  // A loop, for speed: each record that goes out comes through here. Without a prototype, for a header may be `__proto__`.
  const headers: IHeaders = Object.create(null);
  for (const name of Object.keys(stored)) {
    const value = stored[name];
    if (typeof value === "string") headers[name] = value;
    else headers[name] = Array.isArray(value) ? value.map(loadedOf) : loadedOf(value as StoredHeader);
  }
  return headers;
};

const storedOf = (value: Buffer | string): StoredHeader => {
  const bytes = Buffer.from(value);
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) && !text.includes("\0")
    ? text
    : { base64: bytes.toString("base64") };
};

const loadedOf = (value: StoredHeader): Buffer | string =>
  typeof value === "string" ? value : Buffer.from(value.base64, "base64");

const storable = (name: string): string => name.toWellFormed().replaceAll("\0", "\uFFFD");
