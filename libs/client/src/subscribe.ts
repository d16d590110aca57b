import { type LifecycleEvent, lifecycleTopic, type Message } from "@deeplens/contracts";
import { createConsumer, type EachMessagePayload, runConsumer } from "@deeplens/messaging";
import { messageIn, type Reader } from "./reader.ts";
import { createRevisions } from "./revisions.ts";

export interface SubscribeOptions {
  /** The subscriber's consumer group; its members share the work, and it goes on where it was. */
  readonly groupId: string;
  /** Called one at a time for each tenant; an event whose handler throws comes again. */
  readonly onEvent: (event: LifecycleEvent) => Promise<void>;
}

export interface Subscription {
  stop(): Promise<void>;
}

const isLifecycleEvent = (message: Message): message is LifecycleEvent =>
  lifecycleTopic.records.includes(message.record);

/**
 * Gives the lifecycle events to a handler, from the beginning for a new group. An event comes at least once: again
 * after a crash or a hand-over, but never one of a lower revision than this process has handled of its tenant.
 */
export const subscribe = async (reader: Reader, options: SubscribeOptions): Promise<Subscription> => {
  const consumer = createConsumer(reader.kafka, { groupId: options.groupId });
  const revisions = createRevisions();
  const eachMessage = async ({ message: record }: EachMessagePayload): Promise<void> => {
    const message = await messageIn(reader, record);
    if (message === undefined || !isLifecycleEvent(message)) return;
    const { tenantId, revision } = message.value;
    if (!revisions.isNews(tenantId, revision)) return;
    await options.onEvent(message);
    revisions.saw(tenantId, revision);
  };
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [reader.lifecycle], fromBeginning: true });
    const running = await runConsumer(consumer, { eachMessage }, { log: reader.log });
    return {
      stop: async () => {
        running.stop();
        await consumer.disconnect();
      },
    };
  } catch (error) {
    await consumer.disconnect();
    throw error;
  }
};
