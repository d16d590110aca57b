import { headerNames, type LifecycleEvent, lifecycleTopic, topicName } from "@deeplens/contracts";
import { type Codec, createConsumer, headerText, type Kafka } from "@deeplens/messaging";

export interface LifecycleSeen {
  readonly id: string;
  readonly record: string;
  readonly slug: string;
  readonly tenantId: string;
  readonly code?: string;
  readonly requestId: string;
}

/** Follows the lifecycle topic of an installation from its beginning. */
export const followLifecycle = async (
  kafka: Kafka,
  codec: Codec,
  installation: string,
): Promise<{ seen: readonly LifecycleSeen[]; stop(): Promise<void> }> => {
  const seen: LifecycleSeen[] = [];
  const consumer = createConsumer(kafka, { groupId: `${installation}.lifecycle` });
  await consumer.connect();
  await consumer.subscribe({ topics: [topicName(installation, lifecycleTopic)], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => {
      const event = (await codec.decode(message.value)) as LifecycleEvent;
      const { slug, tenantId } = event.value;
      const requestId = "requestId" in event.value ? event.value.requestId : "";
      const code = "code" in event.value ? { code: event.value.code } : {};
      const id = headerText(message.headers, headerNames.id) ?? "";
      seen.push({ id, record: event.record, slug, tenantId, requestId, ...code });
    },
  });
  return { seen, stop: () => consumer.disconnect() };
};
