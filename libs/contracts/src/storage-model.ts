import type { StorageRequest } from "./generated/messages.ts";

/** Where a tenant's objects live. */
export type StorageModel =
  | { readonly type: "deeplens" }
  | { readonly type: "byos"; readonly location: ByosLocation; readonly credentialRef: string }
  | { readonly type: "none" };

export const storageTypes = ["deeplens", "byos", "none"] as const;

export const byosProviders = ["aws_s3", "azure_blob", "gcs"] as const;
export type ByosProvider = (typeof byosProviders)[number];

/** A place in a cloud that is the tenant's own: nothing is created there. */
export interface ByosLocation {
  readonly provider: ByosProvider;
  /** S3's and Google's bucket, Azure's container. */
  readonly bucket: string;
  /** Null: the provider's own. */
  readonly endpoint: string | null;
  /** S3 only. */
  readonly region: string | null;
  /** The folder that is the tenant's: empty, or with a `/` at its end. */
  readonly prefix: string;
  /** S3 only: the bucket is named in the path, not in the host. */
  readonly pathStyle: boolean;
}

/** A storage request with what was left out as null. */
export const storageRequestOf = (wish: StorageWish): StorageRequest => ({
  type: wish.type,
  provider: wish.provider ?? null,
  credentialRef: wish.credentialRef ?? null,
  bucket: wish.bucket ?? null,
  endpoint: wish.endpoint ?? null,
  region: wish.region ?? null,
  prefix: wish.prefix ?? null,
  pathStyle: wish.pathStyle ?? null,
});

/** A storage request as a person or a program writes it; all but the type is for byos. */
export type StorageWish = Pick<StorageRequest, "type"> & {
  readonly [Field in keyof Omit<StorageRequest, "type">]?: StorageRequest[Field] | undefined;
};

/** The request that a model was made from, for a command. */
export const requestOfModel = (storage: StorageModel): StorageRequest =>
  storage.type === "byos"
    ? storageRequestOf({ type: storage.type, ...storage.location, credentialRef: storage.credentialRef })
    : storageRequestOf({ type: storage.type });
