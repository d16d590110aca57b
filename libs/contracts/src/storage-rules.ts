import type { StorageRequest } from "./generated/messages.ts";
import type { RequestRejection } from "./requests.ts";
import {
  type ByosLocation,
  type ByosProvider,
  byosProviders,
  type StorageModel,
  storageTypes,
} from "./storage-model.ts";

export type StorageResult =
  | { readonly ok: true; readonly storage: StorageModel }
  | { readonly ok: false; readonly rejection: RequestRejection };

/** Checks what a request says of storage, and gives the model: the one place where these rules stand. */
export const storageOf = (request: StorageRequest): StorageResult => {
  switch (request.type) {
    case "deeplens":
    case "none":
      return withoutLocation(request, request.type);
    case "byos":
      return byosOf(request);
    default:
      return reject(
        "storage-unknown",
        "storage",
        `${quoted(request.type)} is none of ${storageTypes.join(", ")}`,
      );
  }
};

const withoutLocation = (request: StorageRequest, type: "deeplens" | "none"): StorageResult => {
  const { type: _type, ...rest } = request;
  const field = Object.entries(rest).find(
    ([, value]) => value !== null && value !== "" && value !== false,
  )?.[0];
  return field === undefined
    ? { ok: true, storage: { type } }
    : reject("storage-not-byos", `storage.${field}`, `is for byos only, and the storage is ${type}`);
};

const byosOf = (request: StorageRequest): StorageResult => {
  const provider = byosProviders.find((one) => one === request.provider);
  if (provider === undefined)
    return reject(
      "storage-provider",
      "storage.provider",
      `${quoted(request.provider ?? "")} is none of ${byosProviders.join(", ")}`,
    );
  const { bucket, credentialRef } = request;
  if (bucket === null || !bucketRules[provider].form.test(bucket))
    return reject("storage-bucket", "storage.bucket", bucketRules[provider].rule);
  if (provider !== "aws_s3" && (request.region !== null || request.pathStyle === true))
    return reject(
      "storage-not-s3",
      request.region === null ? "storage.pathStyle" : "storage.region",
      `is for aws_s3 only, and the provider is ${provider}`,
    );
  const { region } = request;
  if (region === null && request.endpoint === null && provider === "aws_s3")
    return reject("storage-region", "storage.region", "is missing: give the bucket's region, or an endpoint");
  if (region !== null && !/^[a-z0-9][a-z0-9-]{1,40}$/.test(region))
    return reject("storage-region", "storage.region", "is no region; give one like eu-central-1");
  const endpoint = request.endpoint === null ? null : endpointOf(provider, request.endpoint);
  if (endpoint === undefined) return reject("storage-endpoint", "storage.endpoint", endpointRule[provider]);
  const prefix = prefixOf(request.prefix ?? "");
  if (prefix === undefined)
    return reject(
      "storage-prefix",
      "storage.prefix",
      "must be folders like tenants/acme: letters, digits and - _ . = only, 200 characters at most, no / first",
    );
  if (credentialRef === null || !isDropOffReference(credentialRef))
    return reject(
      "storage-credentials",
      "storage.credentialRef",
      "must be the reference that dropping the credentials off gave, drop:<uuid>; never the credentials",
    );
  const location: ByosLocation = {
    ...{ provider, bucket, endpoint, region, prefix },
    pathStyle: request.pathStyle === true,
  };
  return { ok: true, storage: { type: "byos", location, credentialRef } };
};

/** True for what may be the reference of dropped-off credentials: `drop:<uuid>`. */
export const isDropOffReference = (text: string): boolean =>
  /^drop:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

// S3's own rules, with the capitals and `_` that older buckets and other makers' servers have.
const bucketRules: Readonly<Record<ByosProvider, { readonly form: RegExp; readonly rule: string }>> = {
  aws_s3: {
    form: /^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/,
    rule: "must be a bucket's name: 3 to 63 letters, digits and . - _",
  },
  azure_blob: {
    form: /^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
    rule: "must be a container's name: 3 to 63 lower-case letters, digits and single -",
  },
  gcs: {
    form: /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/,
    rule: "must be a bucket's name: 3 to 222 lower-case letters, digits and . - _",
  },
};

const endpointRule: Readonly<Record<ByosProvider, string>> = {
  aws_s3: "must be an address without path, user and query, like https://s3.example.com",
  azure_blob:
    "must be the account's blob service without user and query, like https://account.blob.core.windows.net; a signature (SAS) is a credential",
  gcs: "must be an address without path, user and query, like https://storage.googleapis.com",
};

// A path is Azure's alone, for an account that is named there. What is behind `?` or before `@` could be a credential.
const endpointOf = (provider: ByosProvider, text: string): string | undefined => {
  const url = text.length > 300 ? null : URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || `${url.username}${url.password}` !== "")
    return undefined;
  if (text.includes("?") || text.includes("#")) return undefined;
  const path = url.pathname.replace(/\/$/, "");
  if (path !== "" && (provider !== "azure_blob" || !/^\/[a-z0-9]{3,24}$/.test(path))) return undefined;
  return `${url.origin}${path}`;
};

const prefixOf = (text: string): string | undefined => {
  if (text === "") return "";
  const folders = text.replace(/\/$/, "").split("/");
  const fit = folders.every((folder) => /^[A-Za-z0-9_.=-]+$/.test(folder) && !/^\.{1,2}$/.test(folder));
  return fit && text.length <= 200 ? `${folders.join("/")}/` : undefined;
};

const quoted = (text: string): string => JSON.stringify(text.slice(0, 60));

const reject = (code: string, field: string, rule: string): StorageResult => ({
  ok: false,
  rejection: { code, message: `${field}: ${rule}` },
});
