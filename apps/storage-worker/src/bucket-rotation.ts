import {
  ensureResource,
  missing,
  type Operation,
  ownResource,
  type Rotating,
  type Rotation,
  removeResource,
  twoLogins,
} from "@deeplens/worker";
import { type AdminAccess, putUser, updateServiceAccount } from "./minio-admin/index.ts";
import { proveRefused, proveServiceAccount } from "./proof.ts";
import { makeSecretKey } from "./provision.ts";
import { creatablePorts, keyOf, secretPurposes, storageNames, storagePorts } from "./resources.ts";

/**
 * A new key for a tenant's bucket: a second service account under the same user, and so with the same policy, has it,
 * until the next rotation turns back. The user above has a secret of its own, which no service is given and which can't
 * overlap: it is made anew where the old key ends.
 */
export const bucketRotation = (root: AdminAccess): Rotation => {
  const namesFor = ({ command, context }: Rotating, login: 1 | 2) =>
    storageNames(context.installation, command.tenant, login);
  const rotation = twoLogins({
    purpose: secretPurposes.serviceAccount,
    make: makeSecretKey,
    keyOf: (rotating, login) => namesFor(rotating, login).serviceAccount,
    outputsOf: (rotating, { login, reference }) => ({
      accessKey: namesFor(rotating, login).serviceAccount.name,
      secretKeyRef: reference,
    }),
    prove: (rotating, { login, value: secretKey }, expected) => {
      const { bucket, serviceAccount } = namesFor(rotating, login);
      const prove = expected === "answers" ? proveServiceAccount : proveRefused;
      const access = { endpoint: root.endpoint, accessKey: serviceAccount.name, secretKey };
      return prove(rotating.context, access, bucket.name);
    },
    open: async (rotating, { login, value: secretKey }) => {
      const { command, context } = rotating;
      const names = namesFor(rotating, login);
      const ports = storagePorts(root, names);
      for (const port of [ports.bucket, ports.user])
        if ((await ownResource(context, command.tenant, port)) === "absent")
          throw missing(keyOf(port), command.tenant.slug);
      // Only the account is made here; the user stays as it is.
      const { serviceAccount } = creatablePorts(root, ports, { user: "", serviceAccount: secretKey });
      if ((await ensureResource(context, command.tenant, serviceAccount)) === "created") return;
      await context.call("renew minio-service-account", (signal) =>
        updateServiceAccount(root, { accessKey: serviceAccount.name, secretKey }, signal),
      );
    },
    close: async (rotating, login) => {
      const { serviceAccount } = storagePorts(root, namesFor(rotating, login));
      await removeResource(rotating.context, rotating.command.tenant, serviceAccount);
    },
  });
  const end: Operation = async (command, context) => {
    const done = await rotation.end(command, context);
    const names = storageNames(context.installation, command.tenant);
    const secret = await context.secrets.renew(secretPurposes.user, command.sagaId, makeSecretKey);
    // An upsert, which makes the user anew where it lands after a removal (PROTOCOL.md 14).
    await context.ledger.intend(names.user);
    await context.call("renew minio-user", (signal) =>
      putUser(root, { accessKey: names.user.name, secretKey: secret.value }, signal),
    );
    await context.ledger.made(names.user);
    await context.secrets.removeOlder(secretPurposes.user);
    return { ...done, receipt: [...done.receipt, { ...names.user, outcome: "renewed" }] };
  };
  return { ...rotation, end };
};
