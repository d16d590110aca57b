import type { ByosLocation } from "@deeplens/contracts";
import { ApiError, Storage } from "@google-cloud/storage";
import { JWT } from "google-auth-library";
import {
  beginningOf,
  type Cloud,
  type CredentialsOf,
  endpointOf,
  type Refusal,
  type Right,
  wordOf,
} from "./cloud.ts";

/** A bucket of Google Cloud Storage. */
export const gcsCloud = (location: ByosLocation, credentials: CredentialsOf<"gcs">): Cloud => {
  // A token that is signed here: none is asked for at an address of Google's, or of anybody's.
  const authClient = new JWT({
    email: credentials.clientEmail,
    key: credentials.privateKey,
    scopes: ["https://www.googleapis.com/auth/devstorage.read_write"],
  });
  authClient.useJWTAccessWithScope = true;
  const storage = new Storage({
    apiEndpoint: endpointOf(location, credentials),
    useAuthWithCustomEndpoint: true,
    // Asked for by the SDK, and by nothing of what is done here.
    projectId: "none",
    authClient,
    retryOptions: { autoRetry: false, maxRetries: 0 },
    // Its calls take no signal: this ends them before their own time is over.
    timeout: callMs,
  });
  const bucket = storage.bucket(location.bucket);
  return {
    async list(prefix) {
      await bucket.getFiles({ prefix, maxResults: 1, autoPaginate: false });
    },
    async write(key, text) {
      await bucket.file(key).save(text, { resumable: false, validation: false, contentType: "text/plain" });
    },
    async read(key) {
      try {
        return await beginningOf(bucket.file(key).createReadStream({ validation: false }));
      } catch (error) {
        if (error instanceof ApiError && error.code === 404) return undefined;
        throw error;
      }
    },
    async remove(key) {
      await bucket.file(key).delete({ ignoreNotFound: true });
    },
    refusalOf,
    close: () => undefined,
  };
};

const callMs = 20_000;

const rights: Readonly<Record<Right, string>> = {
  list: "storage.objects.list (role Storage Object User)",
  write: "storage.objects.create (role Storage Object User)",
  read: "storage.objects.get (role Storage Object User)",
  delete: "storage.objects.delete (role Storage Object User)",
};

// https://cloud.google.com/storage/docs/json_api/v1/status-codes
const refusalOf = (error: unknown, right: Right): Refusal | undefined => {
  if (!(error instanceof ApiError) || error.code === undefined) return undefined;
  const status = Number(error.code);
  const reason = error.errors?.[0]?.reason;
  const said = wordOf(reason, status);
  if (!(status >= 400 && status < 500) || status === 408 || status === 429) return undefined;
  if (status === 401) return { kind: "credentials", said };
  if (status === 404) return { kind: "bucket", said };
  if (status !== 403) return { kind: "other", said };
  if (said === "rateLimitExceeded" || said === "userRateLimitExceeded") return undefined;
  return said === "forbidden" || said === "HTTP 403"
    ? { kind: "right", right: rights[right], said }
    : { kind: "other", said };
};
