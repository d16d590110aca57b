import { randomUUID } from "node:crypto";
import { type Reply, repliesTopic, type Slug, shardOf, topicName } from "@deeplens/contracts";
import { type Codec, headersOf } from "@deeplens/messaging";
import type { Order } from "./order.ts";
import type { StoredReply } from "./part-store.ts";
import { failed } from "./reply-of.ts";
import type { Sender } from "./sender.ts";

export interface Replies {
  /** The reply as it travels; one that is too large for its topic becomes a failure that says so. */
  encode(order: Order, reply: Reply): StoredReply;
  /** Resolves when it was stored by Kafka. */
  send(slug: Slug, reply: StoredReply): Promise<void>;
}

// Headers and key travel beside the value.
const headRoomBytes = 8_192;

/** The workers' side of the replies topic: keyed by slug, on the slug's shard. */
export const createReplies = (options: {
  installation: string;
  part: string;
  shards: number;
  codec: Codec;
  sender: Sender;
}): Replies => {
  const { installation, part, shards, codec, sender } = options;
  const topic = topicName(installation, repliesTopic);
  const source = `/${installation}/${part}-worker`;

  const encode = (order: Order, reply: Reply): StoredReply => {
    const bytes = codec.encode(repliesTopic, reply);
    if (bytes.length > repliesTopic.maximumRecordBytes - headRoomBytes && reply.record !== "StepFailed")
      return encode(
        order,
        failed(order, new Date(), {
          permanent: true,
          code: "reply-too-large",
          message: `the ${reply.record} of ${order.slug}'s ${part} has ${bytes.length} bytes, more than the topic takes`,
          pivot: "unknown",
        }),
      );
    const { sagaId, step, fence, tenantId } = order;
    const headers = headersOf({
      id: randomUUID(),
      record: reply.record,
      source,
      sagaId,
      step,
      fence,
      tenantId,
    });
    return { record: reply.record, bytes, headers };
  };
  return {
    encode,
    send: (slug, { bytes, headers }) =>
      sender.send(topic, { key: slug, value: bytes, headers, partition: shardOf(slug, shards) }),
  };
};
