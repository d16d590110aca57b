import { setTimeout as delay } from "node:timers/promises";
import {
  lifecycleTopic,
  type Message,
  requestsTopic,
  shardOf,
  storageRequestOf,
  topicName,
} from "@deeplens/contracts";
import { createConsumer, createProducer, headersOf, type KafkaRecord } from "@deeplens/messaging";
import type { BenchInstallation } from "./installation.ts";

export interface Driver {
  /** Asks for these tenants at once; resolves when each has ended, with its latency in ms, in their order. */
  run(
    slugs: readonly string[],
    options?: {
      perSecond?: number;
      /** Of every tenant's administrator; each has one of its own unless told. */
      email?: string;
    },
  ): Promise<number[]>;
  /** How each tenant ended, by slug: every event that was seen. */
  readonly endings: ReadonlyMap<string, readonly string[]>;
  close(): Promise<void>;
}

/** Sends requests as an upstream service does, and learns from the lifecycle topic how they end. */
export const startDriver = async ({
  name,
  kafka,
  codec,
  shards,
}: Pick<BenchInstallation, "name" | "kafka" | "codec" | "shards">): Promise<Driver> => {
  const producer = createProducer(kafka);
  const consumer = createConsumer(kafka, { groupId: `${name}.driver` });
  const endings = new Map<string, string[]>();
  const waiting = new Map<string, (atMs: number) => void>();
  await Promise.all([producer.connect(), consumer.connect()]);
  await consumer.subscribe({ topics: [topicName(name, lifecycleTopic)], fromBeginning: true });
  const joined = new Promise<void>((resolve) => consumer.on(consumer.events.GROUP_JOIN, () => resolve()));
  await consumer.run({
    partitionsConsumedConcurrently: shards,
    eachBatch: async ({ batch, resolveOffset }) => {
      const atMs = performance.now();
      for (const { value, offset } of batch.messages) {
        const event = (await codec.decode(value)) as Extract<
          Message,
          { record: "TenantProvisioned" | "TenantProvisioningFailed" }
        >;
        const { slug } = event.value;
        endings.set(slug, [...(endings.get(slug) ?? []), event.record]);
        waiting.get(slug)?.(atMs);
        waiting.delete(slug);
        resolveOffset(offset);
      }
    },
  });
  await joined;

  const recordOf = (slug: string, email = `admin@${slug}.example`): KafkaRecord => ({
    key: slug,
    partition: shardOf(slug, shards),
    value: codec.encode(requestsTopic, {
      record: "TenantProvisioningRequested",
      value: {
        requestId: slug,
        name: slug,
        tier: "free",
        storage: storageRequestOf({ type: "deeplens" }),
        administrator: { email, firstName: "Ada", lastName: "Lovelace" },
        requestedAt: new Date().toISOString(),
      },
    }),
    headers: headersOf({ id: slug, record: "TenantProvisioningRequested", source: "/bench" }),
  });

  const send = async (slugs: readonly string[], email?: string): Promise<Promise<number>[]> => {
    const startMs = performance.now();
    const ends = slugs.map(
      (slug) => new Promise<number>((resolve) => waiting.set(slug, (atMs) => resolve(atMs - startMs))),
    );
    await producer.send({
      topic: topicName(name, requestsTopic),
      messages: slugs.map((slug) => recordOf(slug, email)),
    });
    return ends;
  };

  const everyMs = 20;
  const paced = async (slugs: readonly string[], perSecond: number): Promise<number[]> => {
    const ends: Promise<number>[] = [];
    const startMs = performance.now();
    for (let sent = 0; sent < slugs.length; ) {
      const due = Math.min(
        slugs.length,
        Math.ceil(((performance.now() - startMs + everyMs) / 1_000) * perSecond),
      );
      if (due > sent) ends.push(...(await send(slugs.slice(sent, due))));
      sent = Math.max(sent, due);
      await delay(everyMs);
    }
    return Promise.all(ends);
  };

  return {
    endings,
    run: async (slugs, { perSecond, email } = {}) =>
      perSecond === undefined ? Promise.all(await send(slugs, email)) : paced(slugs, perSecond),
    close: async () => {
      await consumer.disconnect();
      await producer.disconnect();
    },
  };
};
