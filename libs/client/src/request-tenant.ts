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

export interface RequestsTopic {
  readonly producer: Producer;
  readonly codec: Codec;
  readonly topic: string;
  readonly shards: number;
  readonly source: string;
}

/** Publishes the request on its slug's own partition, with the slug as its key. */
export const publishRequest = async (to: RequestsTopic, wish: TenantWish): Promise<RequestedTenant> => {
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

/** Which tenant is to go, and why. */
export interface RemovalWish {
  /** Unique for the source, among its requests of every kind. */
  readonly requestId: string;
  /** The tenant meant: where another has the slug by now, the request is refused. */
  readonly tenantId: string;
  readonly slug: string;
  readonly reason: string;
  /** How long it can be restored, in ms; 0: purged at once. As the installation has it unless told. */
  readonly graceMs?: number;
}

/** Publishes the request for a removal on its slug's own partition, with the slug as its key. */
export const publishRemoval = async (to: RequestsTopic, wish: RemovalWish): Promise<void> => {
  const { requestId, slug, graceMs = null, ...rest } = wish;
  await to.producer.send({
    topic: to.topic,
    messages: [
      {
        key: slug,
        partition: shardOf(slug, to.shards),
        value: to.codec.encode(requestsTopic, {
          record: "TenantRemovalRequested",
          value: { requestId, slug, graceMs, ...rest, requestedAt: new Date().toISOString() },
        }),
        headers: headersOf({ id: requestId, record: "TenantRemovalRequested", source: to.source }),
      },
    ],
  });
};

const recordOf = (wish: TenantWish): TenantProvisioningRequested => ({
  requestId: wish.requestId,
  name: wish.name,
  tier: wish.tier,
  storage: storageRequestOf(wish.storage),
  administrator: wish.administrator,
  requestedAt: new Date().toISOString(),
});
