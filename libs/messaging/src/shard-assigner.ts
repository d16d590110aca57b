import kafkajs, { type PartitionAssigner } from "kafkajs";

/**
 * Gives a shard's partitions, one of each topic, to one member: partition n of every topic goes to the same one.
 * Throws where the topics' partition counts differ (PROTOCOL.md 1).
 */
export const shardAssigner: PartitionAssigner = ({ cluster }) => ({
  name: "deeplens-shards",
  version: 0,
  async assign({ members, topics }) {
    const counts = new Set(topics.map((topic) => cluster.findTopicPartitionMetadata(topic).length));
    if (counts.size !== 1)
      throw new Error(
        `topics ${topics.join(", ")} have differing partition counts: ${[...counts].join(", ")}`,
      );
    const [shards = 0] = counts;
    const ids = members.map(({ memberId }) => memberId).sort();
    return ids.map((memberId, index) => {
      const mine = Array.from({ length: shards }, (_, shard) => shard).filter(
        (shard) => shard % ids.length === index,
      );
      return {
        memberId,
        memberAssignment: kafkajs.AssignerProtocol.MemberAssignment.encode({
          version: 0,
          assignment: Object.fromEntries(topics.map((topic) => [topic, mine])),
          userData: Buffer.alloc(0),
        }),
      };
    });
  },
  protocol({ topics }) {
    return {
      name: "deeplens-shards",
      metadata: kafkajs.AssignerProtocol.MemberMetadata.encode({
        version: 0,
        topics,
        userData: Buffer.alloc(0),
      }),
    };
  },
});
