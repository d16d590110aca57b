import type { Readable } from "node:stream";
import {
  AnonymousCredential,
  BlobServiceClient,
  RestError,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import type { ByosLocation } from "@deeplens/contracts";
import {
  beginningOf,
  type Cloud,
  type CredentialsOf,
  endpointOf,
  type Refusal,
  type Right,
  wordOf,
} from "./cloud.ts";

/** A container of Azure Blob Storage. */
export const azureCloud = (location: ByosLocation, credentials: CredentialsOf<"azure_blob">): Cloud => {
  const address = endpointOf(location, credentials);
  const once = { retryOptions: { maxTries: 1 } };
  const service =
    "accountKey" in credentials
      ? new BlobServiceClient(
          address,
          new StorageSharedKeyCredential(credentials.accountName, credentials.accountKey),
          once,
        )
      : new BlobServiceClient(`${address}?${credentials.sasToken}`, new AnonymousCredential(), once);
  const container = service.getContainerClient(location.bucket);
  return {
    async list(prefix, abortSignal) {
      await container.listBlobsFlat({ prefix, abortSignal }).byPage({ maxPageSize: 1 }).next();
    },
    async write(key, text, abortSignal) {
      await container.getBlockBlobClient(key).upload(text, Buffer.byteLength(text), { abortSignal });
    },
    async read(key, abortSignal) {
      try {
        const blob = await container
          .getBlobClient(key)
          .download(0, undefined, { abortSignal, maxRetryRequests: 0 });
        return blob.readableStreamBody === undefined
          ? ""
          : await beginningOf(blob.readableStreamBody as Readable);
      } catch (error) {
        if (error instanceof RestError && error.code === "BlobNotFound") return undefined;
        throw error;
      }
    },
    async remove(key, abortSignal) {
      await container.getBlobClient(key).deleteIfExists({ abortSignal });
    },
    refusalOf,
    close: () => undefined,
  };
};

const action = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs";
const rights: Readonly<Record<Right, string>> = {
  list: `${action}/read (role Storage Blob Data Contributor; in a signature: list, sp=l)`,
  write: `${action}/write (role Storage Blob Data Contributor; in a signature: create and write, sp=cw)`,
  read: `${action}/read (role Storage Blob Data Contributor; in a signature: read, sp=r)`,
  delete: `${action}/delete (role Storage Blob Data Contributor; in a signature: delete, sp=d)`,
};

// https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes and .../common-rest-api-error-codes
const codes: Readonly<Record<string, "credentials" | "bucket" | "right" | "retry">> = {
  AuthenticationFailed: "credentials",
  InvalidAuthenticationInfo: "credentials",
  NoAuthenticationInformation: "credentials",
  KeyBasedAuthenticationNotPermitted: "credentials",
  AuthorizationPermissionMismatch: "right",
  AuthorizationFailure: "right",
  AuthorizationResourceTypeMismatch: "right",
  AuthorizationServiceMismatch: "right",
  InsufficientAccountPermissions: "right",
  ContainerNotFound: "bucket",
  ContainerDisabled: "bucket",
  ContainerBeingDeleted: "bucket",
  ResourceNotFound: "bucket",
  OperationTimedOut: "retry",
  ServerBusy: "retry",
};

const refusalOf = (error: unknown, right: Right): Refusal | undefined => {
  if (!(error instanceof RestError) || error.statusCode === undefined) return undefined;
  const status = error.statusCode;
  const said = wordOf(error.code, status);
  const kind = codes[said];
  if (kind === "retry" || (kind === undefined && (status < 400 || status >= 500 || status === 429)))
    return undefined;
  if (kind === "right") return { kind, right: rights[right], said };
  return { kind: kind ?? "other", said };
};
