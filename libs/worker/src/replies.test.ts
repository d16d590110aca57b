import assert from "node:assert/strict";
import { test } from "node:test";
import { type Reply, type Slug, shardOf, type TenantId } from "@deeplens/contracts";
import type { Codec, KafkaRecord } from "@deeplens/messaging";
import type { Order } from "./order.ts";
import { createReplies } from "./replies.ts";
import { completed } from "./reply-of.ts";

const order: Order = {
  ...{ sagaId: "saga", tenantId: "79c28c6d-5322-57b4-9be8-0b62424c1131" as TenantId, slug: "acme" as Slug },
  ...{ part: "storage", step: "storage", fence: 7, attempt: 1, workMs: 1_000, expiresAt: new Date(0) },
  work: { kind: "unknown", undoes: false, message: "of no account here" },
};

const rigOf = () => {
  const sent: { topic: string; record: KafkaRecord }[] = [];
  const codec = { encode: (_topic: unknown, reply: Reply) => Buffer.from(JSON.stringify(reply)) } as Codec;
  const send = async (topic: string, record: KafkaRecord) => void sent.push({ topic, record });
  const sender = { send, flush: async () => undefined, close: async () => undefined };
  const replies = createReplies({ installation: "deeplens", part: "storage", shards: 6, codec, sender });
  return { replies, sent };
};

const doneWith = (outputs: Record<string, string>): Reply =>
  completed(order, new Date(0), { outputs, resources: [] }, { durationMs: 1, calls: [] });

test("a reply is keyed by its slug, on the slug's shard, with saga, step and fence in its headers", async () => {
  const { replies, sent } = rigOf();
  await replies.send(order.slug, replies.encode(order, doneWith({})));
  assert.partialDeepStrictEqual(sent[0], {
    topic: "deeplens.tenants.replies",
    record: {
      key: "acme",
      partition: shardOf("acme", 6),
      headers: {
        ...{ deeplens_saga: "saga", deeplens_step: "storage", deeplens_fence: "7" },
        ...{ ce_source: "/deeplens/storage-worker", ce_type: "com.deeplens.tenants.StepCompleted" },
      },
    },
  });
});

test("a reply that is too large for its topic becomes a failure that says so", () => {
  const { replies } = rigOf();
  const { record, bytes } = replies.encode(order, doneWith({ much: "x".repeat(1_100_000) }));
  assert.equal(record, "StepFailed");
  assert.partialDeepStrictEqual(JSON.parse(bytes.toString()), {
    value: { permanent: true, code: "reply-too-large", fence: 7 },
  });
});
