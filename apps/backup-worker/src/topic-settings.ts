import { type Admin, isKafkaError } from "@deeplens/messaging";
import type { BackupServices } from "./tenant-backup.ts";

// The numbers of Kafka's protocol.
const topicResource = 2;
const setOnTheTopic = 1;

/** What Kafka tells of a topic: its partitions, and what was set on it (not what the cluster sets for all). */
export const describingTopics =
  (admin: Admin): BackupServices["describeTopic"] =>
  async (topic) => {
    const partitions = await partitionsOf(admin, topic);
    // A tenant whose topic somebody removed is backed up all the same.
    if (partitions === 0) return { partitions, config: {} };
    const described = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: topicResource, name: topic }],
    });
    const entries = described.resources[0]?.configEntries ?? [];
    const own = entries.filter(({ configSource }) => configSource === setOnTheTopic);
    return {
      partitions,
      config: Object.fromEntries(own.map(({ configName, configValue }) => [configName, configValue])),
    };
  };

const partitionsOf = async (admin: Admin, topic: string): Promise<number> => {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions.length ?? 0;
  } catch (error) {
    if (isKafkaError(error, "UNKNOWN_TOPIC_OR_PARTITION")) return 0;
    throw error;
  }
};
