import {
  requestsTopic,
  type StorageWish,
  shardOf,
  slugOf,
  storageRequestOf,
  type TenantId,
  type TenantProvisioningRequested,
  tenantIdOf,
} from "@deeplens/contracts";
import { type Codec, headersOf, type Producer } from "@deeplens/messaging";

/** What is asked for; the rules are those of @deeplens/contracts' `specOf`. */
export interface TenantWish {
  /** Unique for the source: the order's id, say. */
  readonly requestId: string;
  readonly name: string;
  readonly tier: string;
  readonly storage: StorageWish;
  readonly administrator: { readonly email: string; readonly firstName: string; readonly lastName: string };
}

export interface RequestedTenant {
  /** Known before anybody answered: it follows from the source and the request id. */
  readonly tenantId: TenantId;
  /** Empty where the name gives none; such a request will be refused. */
  readonly slug: string;
  readonly partition: number;
}

/** Publishes the request on its slug's own partition, with the slug as its key. */
export const publishRequest = async (
  to: { producer: Producer; codec: Codec; topic: string; shards: number; source: string },
  wish: TenantWish,
): Promise<RequestedTenant> => {
  const named = slugOf(wish.name);
  const slug = named.ok ? named.slug : "";
  const key = named.ok ? slug : wish.name;
  const partition = shardOf(key, to.shards);
  await to.producer.send({
    topic: to.topic,
    messages: [
      {
        key,
        partition,
        value: to.codec.encode(requestsTopic, {
          record: "TenantProvisioningRequested",
          value: recordOf(wish),
        }),
        headers: headersOf({
          id: wish.requestId,
          record: "TenantProvisioningRequested",
          source: to.source,
        }),
      },
    ],
  });
  return { tenantId: tenantIdOf(to.source, wish.requestId), slug, partition };
};

const recordOf = (wish: TenantWish): TenantProvisioningRequested => ({
  requestId: wish.requestId,
  name: wish.name,
  tier: wish.tier,
  storage: storageRequestOf(wish.storage),
  administrator: wish.administrator,
  requestedAt: new Date().toISOString(),
});
