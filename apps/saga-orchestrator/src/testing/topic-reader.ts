import { createConsumer, type Kafka, type KafkaMessage } from "@deeplens/messaging";

export interface ReadRecord {
  readonly partition: number;
  readonly message: KafkaMessage;
}

/** Reads a topic from its beginning, by a group of its own: `<installation>.read.<topic>`. */
export const readTopic = async (
  kafka: Kafka,
  installation: string,
  topic: string,
): Promise<{ records: readonly ReadRecord[]; stop(): Promise<void> }> => {
  const records: ReadRecord[] = [];
  const consumer = createConsumer(kafka, { groupId: `${installation}.read.${topic}` });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      records.push({ partition, message });
    },
  });
  return { records, stop: () => consumer.disconnect() };
};
