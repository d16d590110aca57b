/** Where a tenant's objects live. */
export type StorageModel =
  | { readonly type: "deeplens" }
  | { readonly type: "byos"; readonly provider: ByosProvider; readonly credentialRef: string }
  | { readonly type: "none" };

export const byosProviders = ["aws_s3", "azure_blob", "gcs"] as const;
export type ByosProvider = (typeof byosProviders)[number];
