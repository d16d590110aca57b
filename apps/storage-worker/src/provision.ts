import { randomBytes } from "node:crypto";
import { tiers } from "@deeplens/contracts";
import {
  ensureResource,
  type PartCommand,
  type StepContext,
  type StepDone,
  type Tenant,
} from "@deeplens/worker";
import { ownerTags, tagBucket } from "./bucket.ts";
import {
  type AdminAccess,
  setBucketQuota,
  setUserPolicy,
  updateServiceAccount,
} from "./minio-admin/index.ts";
import { proveServiceAccount } from "./proof.ts";
import {
  type Creatable,
  creatableBucket,
  creatablePorts,
  keyOf,
  secretPurposes,
  storageNames,
  storagePorts,
} from "./resources.ts";

/** MinIO takes secret keys of 8 to 40 characters: 24 random bytes are 192 bits and 32 characters. */
export const makeSecretKey = (): string => randomBytes(24).toString("base64url");

/**
 * Gives a tenant its bucket on the shared MinIO: labelled, limited by tier, and reached by a service account under a
 * user of the tenant's own, whose policy names this bucket alone. (Not under root: such an account could list and
 * delete other tenants' accounts, whatever its policy says.)
 *
 * @returns outputs `bucket`, `endpoint`, `accessKey` and `secretKeyRef`
 * @throws PermanentStepError `<kind>-owned-by-other` where a name is somebody else's
 */
export const provisionBucket = async (
  root: AdminAccess,
  command: PartCommand,
  context: StepContext,
): Promise<StepDone> => {
  const { tenant, tier } = command;
  const userSecret = await context.secrets.ensure(secretPurposes.user, makeSecretKey);
  const accountSecret = await context.secrets.ensure(secretPurposes.serviceAccount, makeSecretKey);
  const names = storageNames(context.installation, tenant, accountSecret.login);
  const ports = storagePorts(root, names);

  await ensureBucket(root, command, context, ports.bucket);
  const creatable = creatablePorts(root, ports, {
    user: userSecret.value,
    serviceAccount: accountSecret.value,
  });
  await ensureUpserted(context, tenant, creatable.policy);
  await ensureUpserted(context, tenant, creatable.user);
  await context.call("give the user its policy", (signal) =>
    setUserPolicy(root, names.user.name, names.policy.name, signal),
  );
  const account = { accessKey: names.serviceAccount.name, secretKey: accountSecret.value };
  if ((await ensureResource(context, tenant, creatable.serviceAccount)) === "found")
    await context.call("renew minio-service-account", (signal) =>
      updateServiceAccount(root, account, signal),
    );
  await proveServiceAccount(context, { ...account, endpoint: root.endpoint }, names.bucket.name);
  context.log.info({ bucket: names.bucket.name, quotaBytes: tiers[tier].storageBytes }, "storage is there");
  return {
    outputs: {
      bucket: names.bucket.name,
      endpoint: root.endpoint,
      accessKey: account.accessKey,
      secretKeyRef: accountSecret.reference,
    },
    resources: Object.values(names).map(keyOf),
  };
};

// Made by an upsert, so what is found is written again. It is an intent again meanwhile: the call would make the thing
// anew if it landed after an undo, and what is no intent is not looked for then.
const ensureUpserted = async (context: StepContext, tenant: Tenant, port: Creatable): Promise<void> => {
  if ((await ensureResource(context, tenant, port)) === "created") return;
  await context.ledger.intend(keyOf(port));
  await context.call(`renew ${port.kind}`, (signal) => port.create(signal));
  await context.ledger.made(keyOf(port));
};

const ensureBucket = async (
  root: AdminAccess,
  { tenant, tier }: PartCommand,
  context: StepContext,
  port: ReturnType<typeof storagePorts>["bucket"],
): Promise<void> => {
  await ensureResource(context, tenant, await creatableBucket(root, port, tenant, context));
  const tags = ownerTags({ ...tenant, installation: context.installation });
  await context.call("tag minio-bucket", (signal) => tagBucket(root, port.name, tags, signal));
  await context.call("limit minio-bucket", (signal) =>
    setBucketQuota(root, port.name, tiers[tier].storageBytes, signal),
  );
};
