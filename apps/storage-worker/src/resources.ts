import { accessKey, bucketName, bucketPolicyName, type Login } from "@deeplens/contracts";
import {
  type LedgerKey,
  labelled,
  nothing,
  ownedByOther,
  type ResourcePort,
  type Sight,
  type StepContext,
  type Tenant,
  unlabelled,
} from "@deeplens/worker";
import { lookAtBucket, makeBucket, removeBucket } from "./bucket.ts";
import {
  type AdminAccess,
  addServiceAccount,
  policyExists,
  putPolicy,
  putUser,
  removePolicy,
  removeServiceAccount,
  removeUser,
  serviceAccountParent,
  userExists,
} from "./minio-admin/index.ts";
import { tenantPolicy } from "./tenant-policy.ts";

/** What a tenant's secrets of this step are named by. */
export const secretPurposes = { user: "storage.user", serviceAccount: "storage.service-account" } as const;

/** The names of what a tenant has in MinIO, with the service account of that login. */
export const storageNames = (installation: string, { tenantId, slug }: Tenant, login: Login = 1) => ({
  bucket: { kind: "minio-bucket", name: bucketName(installation, slug) },
  policy: { kind: "minio-policy", name: bucketPolicyName(installation, slug) },
  user: { kind: "minio-user", name: accessKey(tenantId, "user") },
  serviceAccount: { kind: "minio-service-account", name: accessKey(tenantId, "service-account", login) },
});

type Names = ReturnType<typeof storageNames>;

interface Removable extends ResourcePort {
  remove(signal: AbortSignal): Promise<void>;
}

/** How each of them is looked for and removed. Only a bucket bears a label: for the others the ledger says whose. */
export const storagePorts = (root: AdminAccess, { bucket, policy, user, serviceAccount }: Names) =>
  ({
    bucket: {
      ...bucket,
      look: (signal) => lookAtBucket(root, bucket.name, signal),
      remove: (signal) => removeBucket(root, bucket.name, signal),
    },
    policy: {
      ...policy,
      look: async (signal) => seen(await policyExists(root, policy.name, signal)),
      remove: (signal) => removePolicy(root, policy.name, signal),
    },
    user: {
      ...user,
      look: async (signal) => seen(await userExists(root, user.name, signal)),
      remove: (signal) => removeUser(root, user.name, signal),
    },
    serviceAccount: {
      ...serviceAccount,
      // Under another user it is somebody else's, whatever the ledger says.
      look: async (signal) => {
        const parent = await serviceAccountParent(root, serviceAccount.name, signal);
        if (parent === undefined) return nothing;
        return parent === user.name ? unlabelled : labelled(`MinIO user ${parent}`);
      },
      remove: (signal) => removeServiceAccount(root, serviceAccount.name, signal),
    },
  }) as const satisfies Record<string, Removable>;

type Ports = ReturnType<typeof storagePorts>;

/** The tenant's service account; and the second one, where a rotation meant to make it. */
export const serviceAccountPorts = async (
  root: AdminAccess,
  tenant: Tenant,
  context: StepContext,
): Promise<readonly Ports["serviceAccount"][]> => {
  const { installation, ledger } = context;
  const [first, second] = ([1, 2] as const).map(
    (login) => storagePorts(root, storageNames(installation, tenant, login)).serviceAccount,
  ) as [Ports["serviceAccount"], Ports["serviceAccount"]];
  const isMeant = (await ledger.owned()).some(({ name }) => name === second.name);
  return isMeant ? [first, second] : [first];
};

/** Something with a way of being made. */
export type Creatable = ResourcePort & { create(signal: AbortSignal): Promise<void> };

/** The ports with their way of making each, for ensureResource. */
export const creatablePorts = (
  root: AdminAccess,
  ports: Ports,
  secrets: { user: string; serviceAccount: string },
) =>
  ({
    policy: {
      ...ports.policy,
      create: (signal) => putPolicy(root, ports.policy.name, tenantPolicy(ports.bucket.name), signal),
    },
    user: {
      ...ports.user,
      create: (signal) => putUser(root, { accessKey: ports.user.name, secretKey: secrets.user }, signal),
    },
    serviceAccount: {
      ...ports.serviceAccount,
      create: (signal) =>
        addServiceAccount(
          root,
          {
            accessKey: ports.serviceAccount.name,
            secretKey: secrets.serviceAccount,
            targetUser: ports.user.name,
          },
          signal,
        ),
    },
  }) as const satisfies Record<string, Creatable>;

/**
 * The bucket's way of being made. Nobody can label a bucket while making it, so one that is taken between our look and
 * our call needs care: with no intent of an earlier try it is a stranger's, and our fresh intent is taken back before
 * it could pass for ours; with one it may be that try's late effect, and the next look decides.
 */
export const creatableBucket = async (
  root: AdminAccess,
  port: Ports["bucket"],
  tenant: Tenant,
  context: StepContext,
): Promise<Creatable> => {
  const earlier = await context.ledger.find(keyOf(port));
  const intendedBefore = earlier?.owner === tenant.tenantId && earlier.state !== "gone";
  return {
    ...port,
    create: async (signal) => {
      if ((await makeBucket(root, port.name, signal)) === "made") return;
      if (intendedBefore)
        throw new Error(`bucket ${port.name} came into being while it was made; looking again`);
      await context.ledger.gone(keyOf(port));
      throw ownedByOther(port, tenant.slug);
    },
  };
};

export const keyOf = ({ kind, name }: LedgerKey): LedgerKey => ({ kind, name });

/** Whether what a look found belongs to this tenant: by its label, or without one by the ledger. */
export const isOurs = async (
  context: StepContext,
  tenant: Tenant,
  key: LedgerKey,
  sight: Sight,
): Promise<boolean> => {
  if (sight.found === "nothing") return false;
  if (sight.found === "labelled") return sight.owner === tenant.tenantId;
  const entry = await context.ledger.find(key);
  return entry?.owner === tenant.tenantId && entry.state !== "gone";
};

const seen = (there: boolean): Sight => (there ? unlabelled : nothing);
