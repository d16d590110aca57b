import {
  credentialOf,
  type Life,
  missing,
  type Operation,
  operationDone,
  ownResource,
  removeResource,
} from "@deeplens/worker";
import { freePorts, removeSecret, seeNothingLeft } from "./compensate.ts";
import { proveKey, restartWith } from "./keys.ts";
import { proveKeyIsAskedFor } from "./qdrant.ts";
import {
  answer,
  apiKeyPurpose,
  backupKeyPurpose,
  containerResource,
  tenantQdrant,
  type VectorServices,
  volumeResource,
} from "./tenant-qdrant.ts";

/**
 * A tenant's Qdrant after its making. Suspended, it has another key than the tenant's, which its backups are given: so
 * they go on. Qdrant reads its key when it starts, so it is started again, which ends every session.
 */
export const vectorLife = (services: VectorServices): Life => ({
  suspend: suspend(services),
  resume: resume(services),
  purge: purge(services),
});

const suspend =
  (services: VectorServices): Operation =>
  async ({ tenant }, context) => {
    const qdrant = tenantQdrant(tenant, context);
    const container = containerResource(services, qdrant, context.installation);
    if ((await ownResource(context, tenant, container)) === "absent") return answer(qdrant, "absent");
    const backupKey = await context.secrets.ensure(backupKeyPurpose);
    const url = await restartWith(services, qdrant, context, { apiKey: backupKey.value });
    const apiKey = await context.secrets.read(apiKeyPurpose);
    await context.call("prove the key is asked for", (signal) => proveKeyIsAskedFor(url, signal));
    await proveKey(context, { url, apiKey: backupKey.value }, "answers");
    if (apiKey !== undefined) await proveKey(context, { url, apiKey }, "refused");
    return answer(qdrant, "refused");
  };

const resume =
  (services: VectorServices): Operation =>
  async (command, context) => {
    const { tenant } = command;
    const qdrant = tenantQdrant(tenant, context);
    const container = containerResource(services, qdrant, context.installation);
    const volume = volumeResource(services, qdrant, context.installation);
    for (const resource of [volume, container])
      if ((await ownResource(context, tenant, resource)) === "absent")
        throw missing({ kind: resource.kind, name: resource.name }, tenant.slug);
    const key = await credentialOf(command, context, apiKeyPurpose);
    if (key === undefined) throw missing({ kind: "secret", name: apiKeyPurpose }, tenant.slug);
    const url = await restartWith(services, qdrant, context, { apiKey: key.value });
    await context.call("prove the key is asked for", (signal) => proveKeyIsAskedFor(url, signal));
    await proveKey(context, { url, apiKey: key.value }, "answers");
    await context.secrets.remove(backupKeyPurpose);
    return answer(qdrant, "answers", { apiKeyRef: key.reference });
  };

/** The ports are given back when the container was seen gone, by name and by owner; the keys last. */
const purge =
  (services: VectorServices): Operation =>
  async ({ tenant, sagaId }, context) => {
    const qdrant = tenantQdrant(tenant, context);
    const receipt = [];
    for (const resource of [
      containerResource(services, qdrant, context.installation),
      volumeResource(services, qdrant, context.installation),
    ])
      receipt.push(await removeResource(context, tenant, resource, { sagaId }));
    await seeNothingLeft(services, qdrant, context);
    receipt.push(await freePorts(services, qdrant, context));
    for (const purpose of [apiKeyPurpose, backupKeyPurpose])
      receipt.push(await removeSecret(context, purpose));
    return operationDone(receipt);
  };
