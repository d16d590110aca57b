import { secretPartsOf } from "@deeplens/contracts";
import { CallTimeoutError } from "./calls.ts";
import { NotAskedYetError, PermanentStepError } from "./step.ts";

/** What a reply says of an error. */
export interface Failure {
  readonly permanent: boolean;
  readonly code: string;
  readonly message: string;
  readonly pivot: "refused" | "not-asked" | "unknown";
}

const messageBytes = 4_096;

/**
 * Tells the orchestrator what went wrong: for good where the step says so, else a failure that a retry may mend, with
 * the code that the service gave. Values that must not travel are cut out of the text.
 */
export const failureOf = (error: unknown, secrets: ReadonlySet<string> = new Set()): Failure => {
  const message = publicText(textOf(error), secrets);
  if (error instanceof PermanentStepError)
    return { permanent: true, code: error.code, message, pivot: error.pivot };
  const pivot = error instanceof NotAskedYetError ? "not-asked" : "unknown";
  return { permanent: false, code: codeOf(error) ?? "step-error", message, pivot };
};

/** Adds a secret that was read, and its parts, to what may not stand in a text that travels. */
export const hide = (seen: Set<string>, secret: string): void => {
  for (const value of [secret, ...secretPartsOf(secret)]) seen.add(value);
};

/** A text that may travel: without these values, at most 4 KiB. */
export const publicText = (text: string, secrets: ReadonlySet<string>): string =>
  cut(withoutSecrets(text, secrets));

// At most 4 KiB of UTF-8, whole characters only.
const cut = (text: string): string => {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length <= messageBytes) return text;
  // What a cut leaves of a last character decodes to U+FFFD.
  return `${bytes
    .subarray(0, messageBytes - 3)
    .toString("utf8")
    .replace(/\uFFFD$/, "")}…`;
};

const textOf = (error: unknown): string => {
  if (error instanceof AggregateError && error.message === "")
    return error.errors.map((one) => textOf(one)).join("; ");
  return error instanceof Error ? error.message : String(error);
};

const withoutSecrets = (text: string, secrets: ReadonlySet<string>): string => {
  let clean = text;
  for (const secret of secrets) if (secret.length > 0) clean = clean.replaceAll(secret, "[secret]");
  return clean;
};

// Node's (ECONNREFUSED), Postgres's (SQLSTATE), MinIO's (NoSuchBucket), Docker's and HTTP clients' (a status).
const codeOf = (error: unknown): string | undefined => {
  if (error instanceof CallTimeoutError) return error.code;
  if (typeof error !== "object" || error === null) return undefined;
  const { code, type, statusCode, status, cause } = error as Record<string, unknown>;
  for (const text of [code, type]) if (typeof text === "string" && /^[\w.-]{1,64}$/.test(text)) return text;
  for (const number of [statusCode, status]) if (typeof number === "number") return `http-${number}`;
  return cause === undefined ? undefined : codeOf(cause);
};
