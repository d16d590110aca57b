import type { ReceiptLine } from "@deeplens/contracts";
import { PermanentStepError, removeResource, type StepContext, type UndoCommand } from "@deeplens/worker";
import { BucketNotEmptyError, firstForeignObject } from "./bucket.ts";
import { type AdminAccess, listServiceAccounts, MinioError } from "./minio-admin/index.ts";
import { isOurs, secretPurposes, serviceAccountPorts, storageNames, storagePorts } from "./resources.ts";

/**
 * Takes a tenant's storage away: service account, user, policy, bucket, each looked for again; the secrets last. Keys
 * go before the bucket, so that nobody writes into it while it goes.
 *
 * @throws PermanentStepError `bucket-not-empty` where the bucket holds what its provisioning did not put there:
 *   nothing was removed then
 */
export const compensateBucket = async (
  root: AdminAccess,
  { tenant }: UndoCommand,
  context: StepContext,
): Promise<readonly ReceiptLine[]> => {
  const names = storageNames(context.installation, tenant);
  const ports = storagePorts(root, names);
  const sight = await context.call("look for minio-bucket", (signal) => ports.bucket.look(signal));
  if (await isOurs(context, tenant, names.bucket, sight)) {
    const foreign = await context.call("look into minio-bucket", (signal) =>
      firstForeignObject(root, names.bucket.name, signal),
    );
    if (foreign !== undefined) throw notEmpty(names.bucket.name, tenant.slug, foreign);
  }
  const receipt: ReceiptLine[] = [];
  for (const account of await serviceAccountPorts(root, tenant, context))
    receipt.push(await removeResource(context, tenant, account));
  receipt.push(...(await removeUserWithAccounts(root, context, tenant, ports.user)));
  receipt.push(await refusalsExplained(tenant.slug, () => removeResource(context, tenant, ports.policy)));
  receipt.push(await refusalsExplained(tenant.slug, () => removeResource(context, tenant, ports.bucket)));
  await context.secrets.remove(secretPurposes.serviceAccount);
  await context.secrets.remove(secretPurposes.user);
  return receipt;
};

/** MinIO removes a user's service accounts with it: those that were not ours to make are named in the receipt too. */
export const removeUserWithAccounts = async (
  root: AdminAccess,
  context: StepContext,
  tenant: UndoCommand["tenant"],
  port: ReturnType<typeof storagePorts>["user"],
  purge?: { readonly sagaId: string },
): Promise<ReceiptLine[]> => {
  const list = (): Promise<string[]> =>
    context.call("list the user's service accounts", (signal) =>
      listServiceAccounts(root, port.name, signal),
    );
  const accounts = await list();
  const line = await removeResource(context, tenant, port, purge);
  if (line.outcome === "foreign") return [line];
  const left = await list();
  if (left.length > 0)
    throw new Error(
      `MinIO user ${port.name} of tenant ${tenant.slug} still has ${left.length} service accounts after its removal`,
    );
  return [...accounts.map((name) => ({ kind: "minio-service-account", name, outcome: "removed" })), line];
};

/** What MinIO refuses for a reason that time does not mend, with what to do about it. */
export const refusalsExplained = async (
  slug: string,
  remove: () => Promise<ReceiptLine>,
): Promise<ReceiptLine> => {
  try {
    return await remove();
  } catch (error) {
    if (error instanceof BucketNotEmptyError) throw notEmpty(error.bucket, slug, error.objectName);
    if (error instanceof MinioError && error.status === 405)
      throw new PermanentStepError(
        "bucket-locked",
        `the bucket of tenant ${slug} has object lock, under which MinIO removes nothing by force; remove the bucket by hand, then retry`,
        { cause: error },
      );
    if (error instanceof MinioError && error.code === "XMinioIAMPolicyInUse")
      throw new PermanentStepError(
        "minio-policy-in-use",
        `the MinIO policy of tenant ${slug} is attached to a user or group that is not the tenant's; detach it there, then resume the rollback`,
        { cause: error },
      );
    throw error;
  }
};

const notEmpty = (bucket: string, slug: string, objectName: string): PermanentStepError =>
  new PermanentStepError(
    "bucket-not-empty",
    `bucket ${bucket} of tenant ${slug} holds objects that its provisioning did not put there (the first: ${JSON.stringify(objectName.slice(0, 200))}); it was not deleted. Move or delete them, then resume the rollback`,
  );
