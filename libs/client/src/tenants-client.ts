import { lifecycleTopic, requestsTopic, stateTopic, topicName } from "@deeplens/contracts";
import { connectKafka, createCodec, createProducer, type KafkaAddress } from "@deeplens/messaging";
import type { Logger } from "@deeplens/telemetry";
import { followTenant, type TenantNews } from "./follow-tenant.ts";
import {
  publishRemoval,
  publishRequest,
  type RemovalWish,
  type RequestedTenant,
  type TenantWish,
} from "./request-tenant.ts";
import { type SubscribeOptions, type Subscription, subscribe } from "./subscribe.ts";

export interface TenantsClientOptions {
  readonly installation: string;
  readonly kafka: KafkaAddress;
  readonly schemaRegistryUrl: string;
  /** Who asks: the `ce_source` of requests. A request's id is unique within it. */
  readonly source: string;
  readonly log: Logger;
}

/** What an upstream service or a subscriber does over Kafka. */
export interface TenantsClient {
  /**
   * Publishes a request for a tenant and returns when the broker has it; what becomes of it comes as an event. The
   * same request id again is the same request: it makes no second tenant.
   */
  requestTenant(wish: TenantWish): Promise<RequestedTenant>;
  /**
   * Publishes a request for a tenant's removal and returns when the broker has it. It is answered by TenantRemovalStarted
   * or TenantRemovalRefused, which bear the request's id; the same request id again is the same request.
   */
  requestRemoval(wish: RemovalWish): Promise<void>;
  /** What becomes of a tenant: each newer state, then how it ended. From the beginning of what the topics keep; the
   * event that ends it may come before states that led to it. */
  followTenant(tenant: { tenantId: string; slug: string }, signal?: AbortSignal): AsyncGenerator<TenantNews>;
  /** Calls a handler for each lifecycle event that is news, as one member of a consumer group. */
  subscribe(options: SubscribeOptions): Promise<Subscription>;
  close(): Promise<void>;
}

/** Connects to the broker and the schema registry. Throws where one does not answer. */
export const connectTenants = async (options: TenantsClientOptions): Promise<TenantsClient> => {
  const { installation, log } = options;
  const kafka = connectKafka(options.kafka, { clientId: `${installation}-client`, log });
  const codec = createCodec(installation, options.schemaRegistryUrl);
  await codec.prepare([requestsTopic]);
  const admin = kafka.admin();
  const producer = createProducer(kafka);
  const close = async (): Promise<void> => {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
  };
  const requests = topicName(installation, requestsTopic);
  let shards: number;
  try {
    await Promise.all([admin.connect(), producer.connect()]);
    const { topics } = await admin.fetchTopicMetadata({ topics: [requests] });
    shards = topics[0]?.partitions.length ?? 0;
  } catch (error) {
    await close(); // what did connect would keep the process alive
    throw error;
  }
  const reader = {
    kafka,
    codec,
    admin,
    log,
    installation,
    lifecycle: topicName(installation, lifecycleTopic),
    state: topicName(installation, stateTopic),
  };
  const to = { producer, codec, topic: requests, shards, source: options.source };
  return {
    requestTenant: (wish) => publishRequest(to, wish),
    requestRemoval: (wish) => publishRemoval(to, wish),
    followTenant: (tenant, signal) => followTenant(reader, tenant, signal),
    subscribe: (subscription) => subscribe(reader, subscription),
    close,
  };
};
