import type { Readable } from "node:stream";
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";

/** Where copies of tenants' backups are kept: a bucket of the installation's own, at anything that speaks S3. */
export interface BucketAddress extends Keys {
  readonly bucket: string;
  /** Undefined for Amazon's own. */
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly pathStyle: boolean;
}

export interface Keys {
  readonly accessKey: string;
  readonly secretKey: string;
}

export interface StoredObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
}

/** The objects of a bucket. Every function throws a BucketError that names the bucket and what it said. */
export interface Bucket {
  /** `s3://<bucket>` */
  readonly name: string;
  /** Every object under a prefix. */
  list(prefix: string, signal: AbortSignal): Promise<readonly StoredObject[]>;
  /** Writes an object as it comes in: whole, or not at all; in flat memory. */
  put(key: string, content: Readable | string, sizeBytes: number, signal: AbortSignal): Promise<void>;
  read(key: string, signal: AbortSignal): Promise<Readable>;
  /** A missing one succeeds. */
  remove(key: string, signal: AbortSignal): Promise<void>;
  /**
   * Ends the uploads under a prefix that were begun and not finished: what they hold shows in no list of objects. MinIO
   * tells of none by a prefix, and forgets them by itself within a day.
   */
  endUploads(prefix: string, signal: AbortSignal): Promise<number>;
  /** Whether other keys than the installation's own open it: may they list a prefix, or read an object? */
  letsIn(
    keys: Keys,
    at: { readonly prefix: string; readonly key: string },
    signal: AbortSignal,
  ): Promise<boolean>;
  close(): void;
}

/** What is the matter with the bucket, in its own code. */
export class BucketError extends Error {
  /** S3's: `AccessDenied`, `NoSuchBucket`, `InvalidAccessKeyId`; of the network: `ECONNREFUSED`. */
  readonly code: string;
  constructor(name: string, what: string, cause: unknown) {
    const { name: kind, code, message } = cause as { name?: string; code?: string; message?: string };
    const said = code ?? kind ?? "Error";
    super(`the backup bucket ${name} could not ${what}: ${said}${message === said ? "" : `: ${message}`}`, {
      cause,
    });
    this.name = "BucketError";
    this.code = said;
  }
}

// S3 takes 10,000 parts of an object at most.
const mostParts = 9_000;
const leastPartBytes = 8 * 1024 ** 2;

export const openBucket = (address: BucketAddress): Bucket => {
  const { bucket: Bucket } = address;
  const client = clientOf(address, address);
  const name = `s3://${Bucket}`;
  const doing = async <T>(what: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      throw new BucketError(name, what, error);
    }
  };
  return {
    name,
    list: (Prefix, abortSignal) =>
      doing("list its objects (s3:ListBucket)", abortSignal, async () => {
        const found: StoredObject[] = [];
        for (let token: string | undefined, more = true; more; ) {
          const page = await client.send(
            new ListObjectsV2Command({ Bucket, Prefix, ContinuationToken: token }),
            { abortSignal },
          );
          for (const { Key = "", Size = 0, LastModified } of page.Contents ?? [])
            found.push({ key: Key, sizeBytes: Size, modifiedAt: LastModified ?? new Date(0) });
          token = page.NextContinuationToken;
          more = page.IsTruncated === true;
        }
        return found;
      }),
    put: (Key, Body, sizeBytes, signal) =>
      doing("take an object (s3:PutObject)", signal, async () => {
        const upload = new Upload({
          client,
          params: { Bucket, Key, Body, ContentType: "application/octet-stream" },
          // One part is held in memory while it is sent.
          queueSize: 1,
          partSize: Math.max(leastPartBytes, Math.ceil(sizeBytes / mostParts)),
        });
        const abort = (): void => void upload.abort();
        signal.addEventListener("abort", abort, { once: true });
        try {
          signal.throwIfAborted();
          await upload.done();
        } finally {
          signal.removeEventListener("abort", abort);
        }
      }),
    read: (Key, abortSignal) =>
      doing("give an object (s3:GetObject)", abortSignal, async () => {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }), { abortSignal });
        if (Body === undefined) throw new Error(`${Key} came without a content`);
        return Body as Readable;
      }),
    remove: (Key, abortSignal) =>
      doing("remove an object (s3:DeleteObject)", abortSignal, async () => {
        await client.send(new DeleteObjectCommand({ Bucket, Key }), { abortSignal });
      }),
    endUploads: (Prefix, abortSignal) =>
      doing(
        "end an upload (s3:ListBucketMultipartUploads, s3:AbortMultipartUpload)",
        abortSignal,
        async () => {
          const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix }), {
            abortSignal,
          });
          for (const { Key, UploadId } of Uploads)
            await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }), { abortSignal });
          return Uploads.length;
        },
      ),
    letsIn: async (keys, { prefix, key: Key }, abortSignal) => {
      const other = clientOf(address, keys);
      const tries: readonly (() => Promise<unknown>)[] = [
        () => other.send(new ListObjectsV2Command({ Bucket, Prefix: prefix, MaxKeys: 1 }), { abortSignal }),
        () => other.send(new HeadObjectCommand({ Bucket, Key }), { abortSignal }),
      ];
      try {
        for (const attempt of tries) if (!(await isRefused(attempt))) return true;
        return false;
      } finally {
        other.destroy();
      }
    },
    close: () => client.destroy(),
  };
};

const clientOf = ({ endpoint, region, pathStyle }: BucketAddress, { accessKey, secretKey }: Keys): S3Client =>
  new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    forcePathStyle: pathStyle,
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
    // Checksums that S3 does not ask for are not known to every other maker's server.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: { connectionTimeout: 5_000, socketTimeout: 30_000 },
  });

/** @throws where it is not known, because nothing answered. An object that is not there was not refused. */
const isRefused = async (attempt: () => Promise<unknown>): Promise<boolean> => {
  try {
    await attempt();
    return false;
  } catch (error) {
    if (!(error instanceof S3ServiceException)) throw error;
    const status = error.$metadata.httpStatusCode ?? 0;
    if (status === 401 || status === 403) return true;
    if (status === 404) return false;
    throw error;
  }
};
