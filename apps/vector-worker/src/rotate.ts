import {
  missing,
  type OperationCommand,
  type Operations,
  ownResource,
  PermanentStepError,
  type StepContext,
} from "@deeplens/worker";
import { proveKey, restartWith } from "./keys.ts";
import {
  answer,
  apiKeyPurpose,
  backupKeyPurpose,
  containerResource,
  type TenantQdrant,
  tenantQdrant,
  type VectorServices,
} from "./tenant-qdrant.ts";

/**
 * A new key for a tenant's Qdrant. `rotate` makes it, once for its saga, and both are answered; `rotate-end` ends the old
 * one; `rotate-undo` takes the new one back, which only its own saga can (PROTOCOL.md 17). Each starts Qdrant anew.
 *
 * @throws PermanentStepError `suspended` while the tenant is: its key is not to be answered then
 */
export const rotation = (services: VectorServices): Operations => ({
  rotate: async (command, context) => {
    const qdrant = await openQdrant(services, command, context);
    const fresh = await context.secrets.renew(apiKeyPurpose, command.sagaId);
    const older = await context.secrets.readOlder(apiKeyPurpose);
    const keys = { apiKey: fresh.value, ...(older === undefined ? {} : { older }) };
    const url = await restartWith(services, qdrant, context, keys);
    for (const apiKey of Object.values(keys)) await proveKey(context, { url, apiKey }, "answers");
    return answer(qdrant, "both-answer", { apiKeyRef: fresh.reference });
  },
  "rotate-end": async (command, context) => {
    const qdrant = await openQdrant(services, command, context);
    const older = await context.secrets.readOlder(apiKeyPurpose);
    await onlyNewest(services, qdrant, context, older);
    await context.secrets.removeOlder(apiKeyPurpose);
    const { reference } = await context.secrets.ensure(apiKeyPurpose);
    return answer(qdrant, "old-refused", { apiKeyRef: reference });
  },
  "rotate-undo": async (command, context) => {
    const qdrant = await openQdrant(services, command, context);
    const fresh = await context.secrets.read(apiKeyPurpose);
    await context.secrets.withdraw(apiKeyPurpose, command.sagaId);
    const kept = await context.secrets.ensure(apiKeyPurpose);
    await onlyNewest(services, qdrant, context, fresh === kept.value ? undefined : fresh);
    return answer(qdrant, "as-it-was", { apiKeyRef: kept.reference });
  },
});

const openQdrant = async (
  services: VectorServices,
  { tenant }: OperationCommand,
  context: StepContext,
): Promise<TenantQdrant> => {
  const qdrant = tenantQdrant(tenant, context);
  const container = containerResource(services, qdrant, context.installation);
  const key = { kind: container.kind, name: container.name };
  const there = (await ownResource(context, tenant, container)) === "there";
  if (!there || (await context.secrets.read(apiKeyPurpose)) === undefined) throw missing(key, tenant.slug);
  if ((await context.secrets.read(backupKeyPurpose)) !== undefined)
    throw new PermanentStepError(
      "suspended",
      `tenant ${tenant.slug} is suspended: its vectors are given no new key before it is resumed`,
    );
  // With it the command's fence is on disk before a key is changed.
  await context.ledger.made(key);
  return qdrant;
};

const onlyNewest = async (
  services: VectorServices,
  qdrant: TenantQdrant,
  context: StepContext,
  ended: string | undefined,
): Promise<void> => {
  const { value: apiKey } = await context.secrets.ensure(apiKeyPurpose);
  const url = await restartWith(services, qdrant, context, { apiKey });
  await proveKey(context, { url, apiKey }, "answers");
  if (ended !== undefined) await proveKey(context, { url, apiKey: ended }, "refused");
};
