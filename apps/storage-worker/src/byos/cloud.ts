import type { Readable } from "node:stream";
import type { ByosCredentials, ByosLocation } from "@deeplens/contracts";

/** What a tenant's own credentials must allow. */
export type Right = "list" | "write" | "read" | "delete";

/** Objects in a place of the tenant's own, by its vendor's SDK: every call is one try, and throws what the SDK throws. */
export interface Cloud {
  /** Asks for the first names under a prefix. */
  list(prefix: string, signal: AbortSignal): Promise<void>;
  write(key: string, text: string, signal: AbortSignal): Promise<void>;
  /** The beginning of an object; undefined where there is none. */
  read(key: string, signal: AbortSignal): Promise<string | undefined>;
  /** A missing one succeeds. */
  remove(key: string, signal: AbortSignal): Promise<void>;
  /** Why the cloud refused for good; undefined where a retry may help. */
  refusalOf(error: unknown, right: Right): Refusal | undefined;
  close(): void;
}

/**
 * What no retry mends. `said` is the cloud's own code: its texts are left out, for they are whatever answered at the
 * address that the request gave.
 */
export type Refusal =
  /** It does not know these credentials, or not any more. */
  | { readonly kind: "credentials"; readonly said: string }
  /** It knows them, and they lack a right; named in the cloud's words. */
  | { readonly kind: "right"; readonly right: string; readonly said: string }
  | { readonly kind: "bucket"; readonly said: string }
  | { readonly kind: "region"; readonly said: string }
  | { readonly kind: "other"; readonly said: string };

/** The credentials of one provider. */
export type CredentialsOf<Provider extends ByosCredentials["provider"]> = Extract<
  ByosCredentials,
  { provider: Provider }
>;

/** Where the service of a location is: the provider's own place unless told. */
export const endpointOf = (location: ByosLocation, credentials: ByosCredentials): string => {
  if (location.endpoint !== null) return location.endpoint;
  switch (credentials.provider) {
    case "aws_s3":
      return `https://s3.${location.region}.amazonaws.com`;
    case "azure_blob":
      return `https://${credentials.accountName}.blob.core.windows.net`;
    case "gcs":
      return "https://storage.googleapis.com";
  }
};

const longestBytes = 4_096;

/** The first 4 KiB of a stream: a probe is shorter, and what is longer is none of ours. */
export const beginningOf = async (stream: Readable): Promise<string> => {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk as Uint8Array));
    bytes += (chunk as Uint8Array).length;
    if (bytes >= longestBytes) break; // which ends the stream as well
  }
  return Buffer.concat(chunks).subarray(0, longestBytes).toString("utf8");
};

/** A field of an error that may be any value. */
export const fieldOf = (error: unknown, name: string): unknown =>
  typeof error === "object" && error !== null ? (error as Record<string, unknown>)[name] : undefined;

/** A code as it may stand in a text; what is no plain word is not repeated. */
export const wordOf = (code: unknown, status: unknown): string =>
  typeof code === "string" && /^[\w.-]{1,80}$/.test(code) ? code : `HTTP ${Number(status)}`;
