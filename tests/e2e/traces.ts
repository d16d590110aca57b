import {
  accessKey,
  applicationRoleName,
  backupRoleName,
  bucketName,
  containerName,
  databaseName,
  kafkaPrefix,
  kafkaUserName,
  ownerRoleName,
  type Slug,
  type TenantId,
  volumeName,
} from "@deeplens/contracts";
import { scramUsers } from "@deeplens/messaging";
import { policyExists, serviceAccountParent, userExists } from "@deeplens/storage-worker/minio-admin";
import Docker from "dockerode";
import { Redis } from "ioredis";
import { Client as Minio } from "minio";
import type { Installation } from "./support.ts";

export const docker = (): Docker => new Docker();

export const minioRoot = ({ services }: Installation): Minio => {
  const { hostname, port, protocol } = new URL(services.minio.endpoint);
  return new Minio({
    endPoint: hostname,
    port: Number(port),
    useSSL: protocol === "https:",
    accessKey: services.minio.rootUser,
    secretKey: services.minio.password,
  });
};

/** Everything that bears a tenant's name or id anywhere, looked for in every service; empty when nothing is left. */
export const tracesOf = async (
  installation: Installation,
  tenant: { tenantId: string; slug: string },
): Promise<string[]> => {
  const slug = tenant.slug as Slug;
  const found = await Promise.all([
    inPostgres(installation, slug),
    inRedis(installation, slug),
    inKafka(installation, slug),
    inMinio(installation, slug, tenant.tenantId as TenantId),
    inDocker(installation, slug, tenant.tenantId),
    inIdentity(installation, slug),
    inControlDatabase(installation, tenant.tenantId),
  ]);
  return found.flat().sort();
};

const inPostgres = async ({ admin }: Installation, slug: Slug): Promise<string[]> => {
  const { rows } = await admin.query<{ found: string }>(
    `SELECT 'database ' || datname AS found FROM pg_database WHERE datname = $1
     UNION ALL SELECT 'role ' || rolname FROM pg_roles WHERE rolname = ANY ($2)`,
    [
      databaseName(slug),
      [ownerRoleName(slug), applicationRoleName(slug), applicationRoleName(slug, 2), backupRoleName(slug)],
    ],
  );
  return rows.map(({ found }) => found);
};

const inRedis = async ({ services }: Installation, slug: Slug): Promise<string[]> => {
  const { host, port, adminUser: username, password } = services.redis;
  const redis = new Redis({ host, port, username, password, maxRetriesPerRequest: 2 });
  try {
    const users = (await redis.call("ACL", "USERS")) as string[];
    const keys = await redis.keys(`tenant:${slug}:*`);
    return [
      ...users.filter((user) => user === `tenant-${slug}`).map((user) => `redis user ${user}`),
      ...keys.map((key) => `redis key ${key}`),
    ];
  } finally {
    redis.disconnect();
  }
};

const inKafka = async ({ kafka, services }: Installation, slug: Slug): Promise<string[]> => {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const prefix = kafkaPrefix(services.installation, slug);
    const users = [kafkaUserName(slug), kafkaUserName(slug, 2)];
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
    const { groups } = await admin.listGroups();
    const rights = await Promise.all(
      users.map((user) =>
        admin.describeAcls({
          resourceType: 1,
          resourcePatternType: 1,
          operation: 1,
          permissionType: 1,
          principal: `User:${user}`,
        }),
      ),
    );
    const resources = rights.flatMap((one) => one.resources);
    const soon = AbortSignal.timeout(10_000);
    const are = await Promise.all(users.map((user) => scramUsers(services.kafka).has(user, soon)));
    return [
      ...topics.map((topic) => `kafka topic ${topic}`),
      ...groups
        .filter(({ groupId }) => groupId.startsWith(prefix))
        .map(({ groupId }) => `kafka group ${groupId}`),
      ...resources.map(({ resourceName }) => `kafka acl on ${resourceName}`),
      ...users.filter((_user, place) => are[place]).map((user) => `kafka user ${user}`),
    ];
  } finally {
    await admin.disconnect();
  }
};

const inMinio = async (installation: Installation, slug: Slug, tenantId: TenantId): Promise<string[]> => {
  const { services } = installation;
  const access = {
    endpoint: services.minio.endpoint,
    accessKey: services.minio.rootUser,
    secretKey: services.minio.password,
  };
  const name = bucketName(services.installation, slug);
  const soon = AbortSignal.timeout(20_000);
  const [bucket, policy, user, ...parents] = await Promise.all([
    minioRoot(installation).bucketExists(name),
    policyExists(access, name, soon),
    userExists(access, accessKey(tenantId, "user"), soon),
    serviceAccountParent(access, accessKey(tenantId, "service-account"), soon),
    serviceAccountParent(access, accessKey(tenantId, "service-account", 2), soon),
  ]);
  return [
    ...(bucket ? [`bucket ${name}`] : []),
    ...(policy ? [`minio policy ${name}`] : []),
    ...(user ? ["minio user of the tenant"] : []),
    ...parents.flatMap((parent) => (parent === undefined ? [] : ["minio service account of the tenant"])),
  ];
};

const inDocker = async ({ services }: Installation, slug: Slug, tenantId: string): Promise<string[]> => {
  const names = (["qdrant", "backup"] as const).flatMap((service) => [
    containerName(services.installation, service, slug),
    volumeName(services.installation, service, slug),
  ]);
  const containers = await docker().listContainers({ all: true });
  const { Volumes: volumes } = await docker().listVolumes();
  const ours = (name: string, labels: Record<string, string> | null): boolean =>
    names.includes(name) || labels?.["deeplens.tenant-id"] === tenantId;
  return [
    ...containers
      .filter(({ Names, Labels }) => ours(Names[0]?.slice(1) ?? "", Labels))
      .map(({ Names }) => `container ${Names[0]?.slice(1)}`),
    ...(volumes ?? []).filter(({ Name, Labels }) => ours(Name, Labels)).map(({ Name }) => `volume ${Name}`),
  ];
};

const inIdentity = async ({ services }: Installation, slug: Slug): Promise<string[]> => {
  const response = await fetch(`${services.identity.url}/api/tenant/${slug}`);
  await response.body?.cancel();
  return response.status === 404 ? [] : [`identity tenant ${slug} (${response.status})`];
};

// An intent may stay open until the second look: it is a record of what may still land, and no thing.
const inControlDatabase = async ({ control }: Installation, tenantId: string): Promise<string[]> => {
  const { rows } = await control.query<{ found: string }>(
    `SELECT 'secret ' || purpose AS found FROM secrets.secrets WHERE owner = $1
     UNION ALL SELECT 'ledger ' || kind || ' ' || name || ' ' || state FROM worker.ledger WHERE owner = $1 AND state = 'made'
     UNION ALL SELECT 'port lease ' || http_port FROM vectors.port_leases WHERE tenant_id = $1`,
    [tenantId],
  );
  return rows.map(({ found }) => found);
};
