import { missing, ownResource, type Rotating, type Rotation, twoPasswords } from "@deeplens/worker";
import { proveKey, restartWith } from "./keys.ts";
import {
  apiKeyPurpose,
  containerResource,
  type TenantQdrant,
  tenantQdrant,
  urlOf,
  type VectorServices,
} from "./tenant-qdrant.ts";

/** A new key for a tenant's Qdrant, which answers to two of them. It is started anew each time. */
export const vectorRotation = (services: VectorServices): Rotation =>
  twoPasswords({
    purpose: apiKeyPurpose,
    keyOf: ({ command, context }) => ({
      kind: "qdrant-container",
      name: tenantQdrant(command.tenant, context).container,
    }),
    outputsOf: (_tenant, { reference }) => ({ apiKeyRef: reference }),
    set: async (rotating, [apiKey, older]) => {
      const { context } = rotating;
      const qdrant = await ownQdrant(services, rotating);
      await restartWith(services, qdrant, context, { apiKey, ...(older === undefined ? {} : { older }) });
    },
    prove: async ({ command, context }, { value: apiKey }, expected) => {
      const qdrant = tenantQdrant(command.tenant, context);
      const pair = await context.call("look for its ports", () => services.leases.find(qdrant.holder));
      if (pair === undefined) throw missing({ kind: "qdrant-ports", name: qdrant.container }, qdrant.slug);
      await proveKey(context, { url: urlOf(services, qdrant, pair), apiKey }, expected);
    },
  });

const ownQdrant = async (
  services: VectorServices,
  { command: { tenant }, context }: Rotating,
): Promise<TenantQdrant> => {
  const qdrant = tenantQdrant(tenant, context);
  const container = containerResource(services, qdrant, context.installation);
  const key = { kind: container.kind, name: container.name };
  if ((await ownResource(context, tenant, container)) === "absent") throw missing(key, tenant.slug);
  // With it the command's fence is on disk before a key is changed.
  await context.ledger.made(key);
  return qdrant;
};
