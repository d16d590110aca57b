import type { Readable } from "node:stream";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import type { ByosLocation } from "@deeplens/contracts";
import { beginningOf, type Cloud, type CredentialsOf, type Refusal, type Right, wordOf } from "./cloud.ts";

/** A bucket of any service that speaks S3. */
export const s3Cloud = (location: ByosLocation, credentials: CredentialsOf<"aws_s3">): Cloud => {
  const { bucket: Bucket, endpoint, region, pathStyle } = location;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const client = new S3Client({
    region: region ?? "us-east-1",
    ...(endpoint === null ? {} : { endpoint }),
    forcePathStyle: pathStyle,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    maxAttempts: 1,
    // Checksums that S3 does not ask for are not known to every other maker's server.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
  });
  return {
    async list(prefix, abortSignal) {
      await client.send(new ListObjectsV2Command({ Bucket, Prefix: prefix, MaxKeys: 1 }), { abortSignal });
    },
    async write(Key, Body, abortSignal) {
      await client.send(new PutObjectCommand({ Bucket, Key, Body, ContentType: "text/plain" }), {
        abortSignal,
      });
    },
    async read(Key, abortSignal) {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }), { abortSignal });
        return Body === undefined ? "" : await beginningOf(Body as Readable);
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },
    async remove(Key, abortSignal) {
      await client.send(new DeleteObjectCommand({ Bucket, Key }), { abortSignal });
    },
    refusalOf,
    close: () => client.destroy(),
  };
};

const rights: Readonly<Record<Right, string>> = {
  list: "s3:ListBucket",
  write: "s3:PutObject",
  read: "s3:GetObject",
  delete: "s3:DeleteObject",
};

// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
const codes: Readonly<Record<string, "credentials" | "bucket" | "region" | "retry">> = {
  InvalidAccessKeyId: "credentials",
  SignatureDoesNotMatch: "credentials",
  ExpiredToken: "credentials",
  InvalidToken: "credentials",
  TokenRefreshRequired: "credentials",
  InvalidSecurity: "credentials",
  AccountProblem: "credentials",
  NoSuchBucket: "bucket",
  PermanentRedirect: "region",
  AuthorizationHeaderMalformed: "region",
  IllegalLocationConstraintException: "region",
  // It is our own clock that is wrong, or the service is busy.
  RequestTimeTooSkewed: "retry",
  RequestTimeout: "retry",
  SlowDown: "retry",
  OperationAborted: "retry",
};

const refusalOf = (error: unknown, right: Right): Refusal | undefined => {
  if (!(error instanceof S3ServiceException)) return undefined;
  const status = error.$metadata.httpStatusCode ?? 0;
  const said = wordOf(error.name, status);
  const kind = codes[error.name] ?? (status === 301 ? "region" : undefined);
  if (kind === "retry" || (kind === undefined && (status < 400 || status >= 500 || status === 429)))
    return undefined;
  if (kind !== undefined) return { kind, said };
  return status === 403 && !said.startsWith("KMS")
    ? { kind: "right", right: rights[right], said }
    : { kind: "other", said };
};
