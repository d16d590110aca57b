import { randomBytes } from "node:crypto";
import { CreateBucketCommand, DeleteBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { stack } from "@deeplens/testing";
import { type Bucket, type Keys, openBucket } from "../copies/bucket.ts";

/** A bucket of the test's own on the test installation's MinIO, and keys that open it; removed with all that is in it. */
export const testBucket = async (
  after: (work: () => Promise<void>) => void,
): Promise<{ readonly bucket: Bucket; readonly keys: Keys }> => {
  const { endpoint, rootUser: accessKey, password: secretKey } = stack().minio;
  const keys = { accessKey, secretKey };
  const address = { endpoint, region: "us-east-1", pathStyle: true, ...keys };
  const name = `bt-backups-${randomBytes(4).toString("hex")}`;
  const root = new S3Client({
    ...{ endpoint, region: address.region, forcePathStyle: true },
    credentials: { accessKeyId: accessKey, secretAccessKey: secretKey },
  });
  await root.send(new CreateBucketCommand({ Bucket: name }));
  const bucket = openBucket({ ...address, bucket: name });
  after(async () => {
    const signal = AbortSignal.timeout(20_000);
    for (const { key } of await bucket.list("", signal)) await bucket.remove(key, signal);
    await bucket.endUploads("", signal);
    await root.send(new DeleteBucketCommand({ Bucket: name }));
    bucket.close();
    root.destroy();
  });
  return { bucket, keys };
};
