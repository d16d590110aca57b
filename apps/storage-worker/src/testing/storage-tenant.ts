import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { slugFrom, tenantIdOf } from "@deeplens/contracts";
import { stack } from "@deeplens/testing";
import type { ProvisionCommand, StepContext } from "@deeplens/worker";
import { type MemoryLedger, type MemorySecrets, testContext } from "@deeplens/worker/testing";
import { lookAtBucket } from "../bucket.ts";
import { storageHandler } from "../handler.ts";
import {
  type AdminAccess,
  listServiceAccounts,
  policyExists,
  removePolicy,
  removeServiceAccount,
  removeUser,
  send,
  serviceAccountParent,
  userExists,
} from "../minio-admin/index.ts";
import { secretPurposes, storageNames } from "../resources.ts";

/** Root's access to the MinIO of the test installation. */
export const rootAccess = (): AdminAccess => {
  const { minio } = stack();
  return { endpoint: minio.endpoint, accessKey: minio.rootUser, secretKey: minio.password };
};

export const soon = (): AbortSignal => AbortSignal.timeout(20_000);

export type StorageTenant = ReturnType<typeof freshTenant>;

/** A tenant with a name of its own, nothing of which is there yet, and a way to remove what a test leaves of it. */
export const freshTenant = (root = rootAccess(), installation = stack().installation) => {
  const slug = slugFrom(`st-${randomBytes(5).toString("hex")}`);
  const tenant = { tenantId: tenantIdOf("storage tests", slug), slug, name: slug };
  const others: (() => Promise<void>)[] = [];
  const names = storageNames(installation, tenant);
  const command: ProvisionCommand = {
    tenant,
    tier: "free",
    storage: { type: "deeplens" },
    administrator: { email: `admin@${slug}.test`, firstName: "Ada", lastName: "Admin" },
    inputs: {},
  };
  return {
    root,
    installation,
    names,
    command,
    tenant,
    handler: storageHandler(root, { plainHttp: "allow" }),
    undo: { tenant, purpose: "compensate", reason: "a test" } as const,
    /** Also removed at the end, before what is the tenant's. */
    alsoRemove: (removal: () => Promise<void>) => void others.push(removal),
    /** Tries every removal, whatever became of the one before. */
    async dispose(): Promise<void> {
      const removals = [
        ...others,
        () => removeServiceAccount(root, names.serviceAccount.name, soon()),
        // With it the second service account, if there is one.
        () => removeUser(root, names.user.name, soon()),
        () => removePolicy(root, names.policy.name, soon()),
        () => forceRemoveBucket(root, names.bucket.name),
      ];
      const failures: unknown[] = [];
      for (const removal of removals) await removal().catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw new AggregateError(failures, `${slug} could not be removed whole`);
    },
  };
};

/** Removes a bucket with all that is in it, if it is there. */
export const forceRemoveBucket = async (root: AdminAccess, bucket: string): Promise<void> => {
  if ((await lookAtBucket(root, bucket, soon())).found === "nothing") return;
  const headers = { "x-minio-force-delete": "true" };
  await send(root, "the removal of a test's bucket", soon(), {
    method: "DELETE",
    path: `/${bucket}`,
    headers,
  });
};

/** The context of a command for that tenant; give the same stores to the next one. */
export const contextOf = (
  of: StorageTenant,
  stores: { ledger: MemoryLedger; secrets: MemorySecrets },
  options: { fence?: number } = {},
) =>
  testContext({ step: "storage", tenant: of.tenant, installation: of.installation, ...stores, ...options });

/** What the tenant itself signs with. */
export const tenantAccess = async (
  { root, names }: StorageTenant,
  context: StepContext,
  as: keyof typeof secretPurposes,
): Promise<AdminAccess> => {
  const secretKey = await context.secrets.read(secretPurposes[as]);
  assert.ok(secretKey !== undefined, `there is a secret ${secretPurposes[as]}`);
  return { endpoint: root.endpoint, accessKey: names[as].name, secretKey };
};

/** Asserts that MinIO knows nothing of the tenant, by name and by owner. */
export const assertNothingLeft = async ({ root, names }: StorageTenant): Promise<void> => {
  assert.deepEqual(
    {
      bucket: (await lookAtBucket(root, names.bucket.name, soon())).found,
      policy: await policyExists(root, names.policy.name, soon()),
      user: await userExists(root, names.user.name, soon()),
      serviceAccount: await serviceAccountParent(root, names.serviceAccount.name, soon()),
      accountsOfUser: await listServiceAccounts(root, names.user.name, soon()),
    },
    { bucket: "nothing", policy: false, user: false, serviceAccount: undefined, accountsOfUser: [] },
  );
};
