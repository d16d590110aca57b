import { type Topic, topicName } from "@deeplens/contracts";
import type { Admin } from "kafkajs";

const dayMs = 86_400_000;

/**
 * Makes the topics that are missing; leaves existing ones as they are.
 *
 * @throws where a topic has another number of partitions than there are shards: it is fixed for an installation's life
 */
export const ensureTopics = async (
  admin: Admin,
  installation: string,
  topics: readonly Topic[],
  options: { shards: number; replicationFactor?: number },
): Promise<void> => {
  const existing = new Set(await admin.listTopics());
  const missing = topics.filter((topic) => !existing.has(topicName(installation, topic)));
  if (missing.length > 0)
    await admin.createTopics({
      waitForLeaders: true,
      topics: missing.map((topic) => ({
        topic: topicName(installation, topic),
        numPartitions: options.shards,
        replicationFactor: options.replicationFactor ?? -1,
        configEntries: configOf(topic),
      })),
    });
  const { topics: found } = await admin.fetchTopicMetadata({
    topics: topics.map((topic) => topicName(installation, topic)),
  });
  for (const { name, partitions } of found)
    if (partitions.length !== options.shards)
      throw new Error(
        `topic ${name} has ${partitions.length} partitions, but the installation has ${options.shards} shards; SHARDS is fixed for an installation's life`,
      );
};

const configOf = (topic: Topic): { name: string; value: string }[] => [
  { name: "max.message.bytes", value: String(topic.maximumRecordBytes) },
  ...(topic.retention.policy === "compact"
    ? [{ name: "cleanup.policy", value: "compact" }]
    : [{ name: "retention.ms", value: String(topic.retention.days * dayMs) }]),
];
