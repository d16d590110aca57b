import {
  accessKey,
  applicationRoleName,
  backupRoleName,
  bucketName,
  bucketPolicyName,
  containerName,
  databaseName,
  kafkaUserName,
  ownerRoleName,
  redisBackupUserName,
  redisKeyPrefix,
  redisUserName,
  type Slug,
  type StepName,
  type TenantId,
  type TenantSpec,
  tenantTopicName,
  unreachable,
  volumeName,
} from "@deeplens/contracts";

/** A thing by its part, its kind and its name. */
export interface Thing {
  readonly part: StepName;
  readonly kind: string;
  readonly name: string;
}

/** Everything that a tenant's provisioning makes, by the names that the workers give it. */
export const thingsOf = (
  installation: string,
  tenantId: TenantId,
  { slug, storage }: Pick<TenantSpec, "slug" | "storage">,
): readonly Thing[] => [
  ...of("database", {
    "postgres-database": [databaseName(slug)],
    "postgres-role": [ownerRoleName(slug), applicationRoleName(slug), backupRoleName(slug)],
    "redis-user": [redisUserName(slug), redisBackupUserName(slug)],
    "redis-keys": [`${redisKeyPrefix(slug)}*`],
    "kafka-topic": [tenantTopicName(installation, slug)],
    // Where the cluster has an authorizer.
    "kafka-user": [kafkaUserName(slug)],
  }),
  ...storageThings(installation, tenantId, slug, storage),
  ...of("vectors", {
    "qdrant-container": [containerName(installation, "qdrant", slug)],
    "qdrant-volume": [volumeName(installation, "qdrant", slug)],
    "qdrant-ports": ["a pair, leased when it is made"],
  }),
  ...of("backup", {
    "backup-container": [containerName(installation, "backup", slug)],
    "backup-volume": [volumeName(installation, "backup", slug)],
  }),
  ...of("identity", { "identity-tenant": [slug] }),
];

const of = (part: StepName, names: Readonly<Record<string, readonly string[]>>): Thing[] =>
  Object.entries(names).flatMap(([kind, all]) => all.map((name) => ({ part, kind, name })));

const storageThings = (
  installation: string,
  tenantId: TenantId,
  slug: Slug,
  storage: TenantSpec["storage"],
): Thing[] => {
  switch (storage.type) {
    case "none":
    // Nothing is made there: it is the tenant's own.
    case "byos":
      return [];
    case "deeplens":
      return of("storage", {
        "minio-bucket": [bucketName(installation, slug)],
        "minio-policy": [bucketPolicyName(installation, slug)],
        "minio-user": [accessKey(tenantId, "user")],
        "minio-service-account": [accessKey(tenantId, "service-account")],
      });
    default:
      return unreachable(storage);
  }
};
