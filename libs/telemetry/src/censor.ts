import { stdSerializers } from "pino";

/** What stands in a line in place of a secret. */
export const censored = "[secret]";

const secretKeys = new Set(
  [
    "password",
    "adminPassword",
    "secret",
    "secretKey",
    "secretAccessKey",
    "apiKey",
    "api_key",
    "token",
    "authorization",
    "masterKey",
    "credentials",
    "sasl",
    "connectionString",
    "sessionToken",
    "accountKey",
    "sasToken",
    "privateKey",
    "private_key",
  ].map((key) => key.toLowerCase()),
);

const deepest = 4;

/**
 * The same value with `[secret]` in place of each value whose key names a secret, four levels down; the value itself
 * where there is none. pino's own redaction searches a line once for each path: 60 us a line for paths like ours with
 * their wildcards, against 2 here.
 */
export const censor = (value: Record<string, unknown>): Record<string, unknown> =>
  censorUpTo(deepest, value) as Record<string, unknown>;

const censorUpTo = (depth: number, value: object): object => {
  let copy: Record<string, unknown> | undefined;
  for (const [key, part] of Object.entries(value)) {
    const clean = cleanOf(depth, key, part);
    if (clean === part) continue;
    copy ??= copyOf(value);
    copy[key] = clean;
  }
  return copy ?? value;
};

const cleanOf = (depth: number, key: string, part: unknown): unknown => {
  if (secretKeys.has(key.toLowerCase())) return part === undefined ? part : censored;
  // An error's message and stack are no enumerable properties of it: a plain copy would lose them.
  if (part instanceof Error) return censorUpTo(depth, { ...stdSerializers.err(part) });
  return depth > 1 && typeof part === "object" && part !== null && !Buffer.isBuffer(part)
    ? censorUpTo(depth - 1, part)
    : part;
};

// A list stays a list.
const copyOf = (value: object): Record<string, unknown> =>
  (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
