import type { ReceiptLine } from "@deeplens/contracts";
import {
  credentialOf,
  type Life,
  loginsIn,
  missing,
  type Operation,
  operationDone,
  ownResource,
  removeResource,
} from "@deeplens/worker";
import { forceRemoveBucket } from "./bucket.ts";
import { refusalsExplained, removeUserWithAccounts } from "./compensate.ts";
import {
  type AdminAccess,
  putUser,
  setServiceAccountStatus,
  setUserStatus,
  updateServiceAccount,
} from "./minio-admin/index.ts";
import { proveRefused, proveServiceAccount } from "./proof.ts";
import { makeSecretKey } from "./provision.ts";
import { keyOf, secretPurposes, serviceAccountPorts, storageNames, storagePorts } from "./resources.ts";

/**
 * A tenant's bucket after its making. Suspended, its service account and the user above it are disabled, with their
 * secrets as they are, and signed links of theirs with them; its objects stay.
 */
export const bucketLife = (root: AdminAccess): Life => ({
  suspend: suspend(root),
  resume: resume(root),
  purge: purge(root),
});

const keyHolders = ["serviceAccount", "user"] as const;

const suspend =
  (root: AdminAccess): Operation =>
  async ({ tenant }, context) => {
    const { bucket, user } = storageNames(context.installation, tenant);
    const setStatus = { serviceAccount: setServiceAccountStatus, user: setUserStatus };
    const receipt: ReceiptLine[] = [];
    const disable = async (
      holder: (typeof keyHolders)[number],
      port: ReturnType<typeof storagePorts>[typeof holder],
      secretKey: string | undefined,
    ): Promise<void> => {
      const { kind, name } = port;
      const there = (await ownResource(context, tenant, port)) === "there";
      if (there)
        await context.call(`disable ${kind}`, (signal) => setStatus[holder](root, name, "disabled", signal));
      if (there && secretKey !== undefined)
        await proveRefused(context, { endpoint: root.endpoint, accessKey: name, secretKey }, bucket.name);
      receipt.push({ kind, name, outcome: there ? "refused" : "absent" });
    };
    const accounts = loginsIn(await context.secrets.versions(secretPurposes.serviceAccount));
    for (const { login, value } of accounts.length === 0
      ? [{ login: 1 as const, value: undefined }]
      : accounts) {
      const names = storageNames(context.installation, tenant, login);
      await disable("serviceAccount", storagePorts(root, names).serviceAccount, value);
    }
    const ports = storagePorts(root, storageNames(context.installation, tenant));
    await disable("user", { ...ports.user, ...user }, await context.secrets.read(secretPurposes.user));
    return operationDone(receipt);
  };

const resume =
  (root: AdminAccess): Operation =>
  async (command, context) => {
    const { tenant } = command;
    const [user, account] = [
      await credentialOf(command, context, secretPurposes.user, makeSecretKey),
      await credentialOf(command, context, secretPurposes.serviceAccount, makeSecretKey),
    ];
    const names = storageNames(context.installation, tenant, account?.login);
    const ports = storagePorts(root, names);
    for (const holder of ["bucket", ...keyHolders] as const)
      if ((await ownResource(context, tenant, ports[holder])) === "absent")
        throw missing(names[holder], tenant.slug);
    if (user === undefined || account === undefined) throw missing(names.serviceAccount, tenant.slug);
    // Both are upserts, which make the thing anew where they land after a removal (PROTOCOL.md 14).
    await context.ledger.intend(keyOf(names.user));
    await context.call("enable minio-user", (signal) =>
      putUser(root, { accessKey: names.user.name, secretKey: user.value }, signal),
    );
    await context.ledger.made(keyOf(names.user));
    const access = { accessKey: names.serviceAccount.name, secretKey: account.value };
    await context.call("enable minio-service-account", (signal) =>
      updateServiceAccount(root, access, signal),
    );
    await proveServiceAccount(context, { ...access, endpoint: root.endpoint }, names.bucket.name);
    return operationDone(
      [names.serviceAccount, names.user].map((key) => ({ ...key, outcome: "answers" })),
      { secretKeyRef: account.reference },
    );
  };

/**
 * Keys go first, so that nobody of the tenant writes into the bucket while it goes; then the bucket with all that is in
 * it, what others put there since included: the bucket is the tenant's, by its label and by the ledger.
 */
const purge =
  (root: AdminAccess): Operation =>
  async ({ tenant, sagaId }, context) => {
    const ports = storagePorts(root, storageNames(context.installation, tenant));
    const mark = { sagaId };
    const receipt: ReceiptLine[] = [];
    for (const account of await serviceAccountPorts(root, tenant, context))
      receipt.push(await removeResource(context, tenant, account, mark));
    receipt.push(...(await removeUserWithAccounts(root, context, tenant, ports.user, mark)));
    const bucket = {
      ...ports.bucket,
      remove: (signal: AbortSignal) => forceRemoveBucket(root, ports.bucket.name, signal),
    };
    for (const resource of [ports.policy, bucket])
      receipt.push(
        await refusalsExplained(tenant.slug, () => removeResource(context, tenant, resource, mark)),
      );
    for (const purpose of Object.values(secretPurposes)) await context.secrets.remove(purpose);
    return operationDone(receipt);
  };
