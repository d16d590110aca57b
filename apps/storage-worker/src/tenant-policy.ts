import type { PolicyDocument } from "./minio-admin/index.ts";

/**
 * What a tenant may do: work with the objects of its own bucket. Not change the bucket itself (its tags name the
 * owner), and nothing of the admin API: a key that may make keys could see other tenants'.
 */
export const tenantPolicy = (bucket: string): PolicyDocument => ({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Action: ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"],
      Resource: [`arn:aws:s3:::${bucket}`],
    },
    {
      Effect: "Allow",
      Action: [
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:GetObjectTagging",
        "s3:PutObjectTagging",
        "s3:DeleteObjectTagging",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
      ],
      Resource: [`arn:aws:s3:::${bucket}/*`],
    },
    { Effect: "Deny", Action: ["admin:*"] },
  ],
});
