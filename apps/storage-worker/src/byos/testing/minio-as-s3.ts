import { randomBytes } from "node:crypto";
import { cleanUps } from "@deeplens/testing";
import {
  type PolicyDocument,
  putPolicy,
  putUser,
  removePolicy,
  removeUser,
  setUserPolicy,
} from "../../minio-admin/index.ts";
import { s3Client } from "../../s3.ts";
import { forceRemoveBucket, rootAccess, soon } from "../../testing/storage-tenant.ts";
import type { Right } from "../cloud.ts";
import { allRights, type Customer, type TestCloud } from "./customer.ts";

const actions: Readonly<Record<Right, string>> = {
  ...{ list: "s3:ListBucket", write: "s3:PutObject", read: "s3:GetObject", delete: "s3:DeleteObject" },
};

/** The test installation's MinIO as a customer's S3: buckets and users of the customer's own, policies by right. */
export const minioAsS3 = (): TestCloud => {
  const root = rootAccess();
  const all = cleanUps();
  return {
    name: "S3",
    words: { list: /s3:ListBucket/, write: /s3:PutObject/, read: /s3:GetObject/, delete: /s3:DeleteObject/ },
    async customer(prefix = "") {
      const name = `byos-${randomBytes(5).toString("hex")}`;
      const keys = { accessKey: name, secretKey: randomBytes(20).toString("hex") };
      all.add(() => forceRemoveBucket(root, name));
      await s3Client(root, soon()).makeBucket(name);
      all.add(() => removePolicy(root, name, soon()));
      all.add(() => removeUser(root, name, soon()));
      await putUser(root, keys, soon());
      const allow = async (rights: readonly Right[]): Promise<void> => {
        await putPolicy(root, name, policyOf(name, prefix, rights), soon());
        await setUserPolicy(root, name, name, soon());
      };
      await allow(allRights);
      const customer: Customer = {
        location: {
          ...{
            provider: "aws_s3",
            bucket: name,
            endpoint: root.endpoint,
            region: null,
            prefix,
            pathStyle: true,
          },
        },
        credentials: { provider: "aws_s3", accessKeyId: keys.accessKey, secretAccessKey: keys.secretKey },
        allow,
        put: async (key, text) => void (await s3Client(root, soon()).putObject(name, key, text)),
        keys: async () => {
          const found = await s3Client(root, soon()).listObjectsV2(name, "", true).toArray();
          return found.map((one) => String((one as { name?: string }).name));
        },
      };
      return customer;
    },
    unknownTo: (credentials) =>
      ({ ...credentials, secretAccessKey: "another-secret-of-theirs" }) as typeof credentials,
    close: all.run,
  };
};

const policyOf = (bucket: string, prefix: string, rights: readonly Right[]): PolicyDocument => ({
  Version: "2012-10-17",
  Statement: [
    ...rights.map((right) => ({
      Effect: "Allow" as const,
      Action: [actions[right]],
      Resource: [right === "list" ? `arn:aws:s3:::${bucket}` : `arn:aws:s3:::${bucket}/${prefix}*`],
      ...(right === "list" && prefix !== ""
        ? { Condition: { StringLike: { "s3:prefix": [`${prefix}*`] } } }
        : {}),
    })),
    // Without any right it is still a policy.
    { Effect: "Allow" as const, Action: ["s3:GetBucketLocation"], Resource: [`arn:aws:s3:::${bucket}`] },
  ],
});
