import type { IHeaders, KafkaMessage, Message } from "kafkajs";

const reasonBytes = 4_096;

/** A record for the dead-letter topic: the source's, as it was, with the reason and where it stood in headers. */
export const deadLetterOf = (
  source: {
    topic: string;
    partition: number;
    message: Pick<KafkaMessage, "key" | "value" | "headers" | "offset">;
  },
  reason: { code: string; message: string },
): Message => ({
  key: source.message.key,
  value: source.message.value,
  headers: {
    ...source.message.headers,
    dlq_topic: source.topic,
    dlq_partition: String(source.partition),
    dlq_offset: source.message.offset,
    dlq_code: reason.code,
    dlq_reason: Buffer.from(reason.message).subarray(0, reasonBytes).toString("utf8"),
  } satisfies IHeaders,
});
