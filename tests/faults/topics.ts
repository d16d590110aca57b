import { type Topic, topicName } from "@deeplens/contracts";
import type { Installation } from "@deeplens/e2e/support";
import { createConsumer, type KafkaMessage } from "@deeplens/messaging";
import { until } from "./fleet.ts";

/** Everything that topics held and hold, read from their beginning until it is closed. */
export interface Listener {
  readonly records: readonly KafkaMessage[];
  /** The first record of which `is` holds. @throws after `withinMs` */
  find(what: string, is: (record: KafkaMessage) => boolean, withinMs?: number): Promise<KafkaMessage>;
  close(): Promise<void>;
}

export const listen = async (
  { kafka, services: { installation } }: Installation,
  topics: readonly Topic[],
): Promise<Listener> => {
  const records: KafkaMessage[] = [];
  const groupId = `${installation}.faults-${Date.now()}-${process.pid}-${topics[0]?.suffix}`;
  const consumer = createConsumer(kafka, { groupId });
  await consumer.connect();
  await consumer.subscribe({
    topics: topics.map((topic) => topicName(installation, topic)),
    fromBeginning: true,
  });
  await consumer.run({ eachMessage: async ({ message }) => void records.push(message) });
  return {
    records,
    find: (what, is, withinMs = 20_000) => until(what, withinMs, async () => records.find(is)),
    async close() {
      await consumer.disconnect();
      const admin = kafka.admin();
      await admin.connect();
      // Where Kafka still counts its member it forgets the group by itself.
      await admin.deleteGroups([groupId]).catch(() => undefined);
      await admin.disconnect();
    },
  };
};
