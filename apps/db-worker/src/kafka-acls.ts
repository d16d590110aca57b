import { type Admin, isKafkaError } from "@deeplens/messaging";

// The numbers of Kafka's protocol.
const resource = { any: 1, topic: 2, group: 3, cluster: 4, transactionalId: 5 };
const pattern = { any: 1, literal: 3, prefixed: 4 };
const operation = { any: 1, all: 2, read: 3, write: 4, describe: 8 };
const permission = { any: 1, deny: 2, allow: 3 };

const rights = [
  [resource.topic, operation.read],
  [resource.topic, operation.write],
  [resource.topic, operation.describe],
  [resource.group, operation.read],
  [resource.transactionalId, operation.write],
  [resource.transactionalId, operation.describe],
] as const;

/** How many rules grantPrefix makes. */
export const grantedRights = rights.length;

/** How many rules the principal has, whoever made them; undefined on a cluster that asks for no rights at all. */
export const countAcls = async (admin: Admin, principal: string): Promise<number | undefined> => {
  try {
    const { resources } = await admin.describeAcls(ofPrincipal(principal));
    return resources.reduce((count, { acls }) => count + acls.length, 0);
  } catch (error) {
    if (isKafkaError(error, "SECURITY_DISABLED")) return undefined;
    throw error;
  }
};

/** Lets the principal use everything whose name starts with the prefix (which ends in a dot), and nothing else. */
export const grantPrefix = async (admin: Admin, principal: string, prefix: string): Promise<void> => {
  await admin.createAcls({
    acl: rights.map(([resourceType, right]) => ({
      resourceType,
      resourceName: prefix,
      resourcePatternType: pattern.prefixed,
      principal,
      host: "*",
      operation: right,
      permissionType: permission.allow,
    })),
  });
};

/** Forbids the principal everything, whatever it was granted: a denial wins, and its rights stay as they are. */
export const denyEverything = async (admin: Admin, principal: string): Promise<void> => {
  const denial = (resourceType: number, resourceName: string) => ({
    ...{ resourceType, resourceName, principal, host: "*" },
    resourcePatternType: pattern.literal,
    operation: operation.all,
    permissionType: permission.deny,
  });
  await admin.createAcls({
    acl: [
      ...[resource.topic, resource.group, resource.transactionalId].map((type) => denial(type, "*")),
      denial(resource.cluster, "kafka-cluster"),
    ],
  });
};

/** Ends that. */
export const endDenial = async (admin: Admin, principal: string): Promise<void> => {
  await admin.deleteAcls({ filters: [{ ...ofPrincipal(principal), permissionType: permission.deny }] });
};

/** Takes every right of the principal, and what it was denied. */
export const revokeAll = async (admin: Admin, principal: string): Promise<void> => {
  await admin.deleteAcls({ filters: [ofPrincipal(principal)] });
};

const ofPrincipal = (principal: string) => ({
  principal,
  resourceType: resource.any,
  resourcePatternType: pattern.any,
  operation: operation.any,
  permissionType: permission.any,
});
