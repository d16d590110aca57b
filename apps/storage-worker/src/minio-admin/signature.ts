import { createHash, createHmac } from "node:crypto";

export interface Credentials {
  readonly accessKey: string;
  readonly secretKey: string;
}

export interface UnsignedRequest {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  /** Origin of the server, without a path. */
  readonly endpoint: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** More headers to sign and send, in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export interface SignedRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const region = "us-east-1";
const service = "s3";

/**
 * Signs a request with AWS Signature Version 4, its payload included: MinIO's admin API takes no unsigned payload.
 * `date` is when it is sent; servers refuse one that is minutes off.
 */
export const sign = (request: UnsignedRequest, credentials: Credentials, date: Date): SignedRequest => {
  const timestamp = date.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const day = timestamp.slice(0, 8);
  const { host, origin } = new URL(request.endpoint);
  const payloadHash = sha256Hex(request.body ?? "");
  const signed = {
    ...request.headers,
    host,
    "x-amz-content-sha256": payloadHash,
    "x-amz-date": timestamp,
  };
  const names = Object.keys(signed).sort();
  const query = canonicalQuery(request.query ?? {});
  const path = request.path.split("/").map(encode).join("/");
  const canonical = [
    request.method,
    path,
    query,
    ...names.map((name) => `${name}:${signed[name as keyof typeof signed].trim()}`),
    "",
    names.join(";"),
    payloadHash,
  ].join("\n");
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", timestamp, scope, sha256Hex(canonical)].join("\n");
  const key = [day, region, service, "aws4_request"].reduce<Buffer | string>(
    (previous, part) => hmac(previous, part),
    `AWS4${credentials.secretKey}`,
  );
  const signature = hmac(key, toSign).toString("hex");
  const { host: _, ...sent } = signed;
  return {
    url: `${origin}${path}${query === "" ? "" : `?${query}`}`,
    headers: {
      ...sent,
      authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKey}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
    },
  };
};

const canonicalQuery = (query: Readonly<Record<string, string>>): string =>
  Object.entries(query)
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");

// encodeURIComponent leaves five characters alone that RFC 3986 reserves.
const encode = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const sha256Hex = (data: Uint8Array | string): string => createHash("sha256").update(data).digest("hex");
const hmac = (key: Buffer | string, data: string): Buffer => createHmac("sha256", key).update(data).digest();
