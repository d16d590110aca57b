import * as http from "node:http";
import * as https from "node:https";
import { Client, S3Error } from "minio";
import type { AdminAccess } from "./minio-admin/index.ts";

/**
 * A client of MinIO's S3 side whose requests end when the signal does. It tries nothing again by itself: whether a
 * call may be repeated is the step's question.
 */
export const s3Client = (access: AdminAccess, signal: AbortSignal): Client => {
  const { protocol, hostname, port } = new URL(access.endpoint);
  const secure = protocol === "https:";
  const { request } = secure ? https : http;
  const transport = {
    request: (options: https.RequestOptions, onResponse: (response: http.IncomingMessage) => void) =>
      request({ ...options, signal }, onResponse),
  };
  return new Client({
    endPoint: hostname,
    port: port === "" ? (secure ? 443 : 80) : Number(port),
    useSSL: secure,
    accessKey: access.accessKey,
    secretKey: access.secretKey,
    // Named so that no call is preceded by a question for the bucket's region.
    region: "us-east-1",
    pathStyle: true,
    transport: transport as typeof http,
    retryOptions: { disableRetry: true },
  });
};

/** MinIO's code in an error of the `minio` package (`NoSuchBucket`), or undefined for any other error. */
export const s3Code = (error: unknown): string | undefined =>
  error instanceof S3Error ? error.code : undefined;
