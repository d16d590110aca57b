import { commandsTopic, isDeadLetterTopic, topicName, topicsOf } from "@deeplens/contracts";
import type { connectKafka } from "@deeplens/messaging";

type Kafka = ReturnType<typeof connectKafka>;

/** What Kafka says of the fleet. */
export interface Fleet {
  /** Dead-letter topics that hold any. */
  deadLetters(): Promise<{ topic: string; count: number }[]>;
  /** Of each step's worker: how many of its commands are not finished, and how many processes take them. */
  workers(): Promise<{ step: string; alive: number; lag: number }[]>;
}

/** Asks with one connection, opened for each answer: answers are shared and kept for seconds. */
export const createFleet = (kafka: Kafka, installation: string, steps: readonly string[]): Fleet => {
  const asking = async <T>(work: (admin: ReturnType<Kafka["admin"]>) => Promise<T>): Promise<T> => {
    const admin = kafka.admin();
    try {
      await admin.connect();
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  };
  return {
    deadLetters: () =>
      asking(async (admin) => {
        const topics = topicsOf(steps)
          .map((topic) => topicName(installation, topic))
          .filter(isDeadLetterTopic);
        const counted = await Promise.all(
          topics.map(async (topic) => {
            const offsets = await admin.fetchTopicOffsets(topic);
            const count = offsets.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
            return { topic, count };
          }),
        );
        return counted.filter(({ count }) => count > 0);
      }),
    workers: () =>
      asking(async (admin) => {
        const groupOf = (step: string): string => `${installation}.${step}-worker`;
        const { groups } = await admin.describeGroups(steps.map(groupOf));
        return Promise.all(
          steps.map(async (step) => {
            const topic = topicName(installation, commandsTopic(step));
            const ends = await admin.fetchTopicOffsets(topic);
            const [committed] = await admin.fetchOffsets({ groupId: groupOf(step), topics: [topic] });
            const lag = ends.reduce((sum, { partition, high, low }) => {
              const at = committed?.partitions.find((one) => one.partition === partition)?.offset ?? "-1";
              return sum + Math.max(0, Number(high) - Math.max(Number(at), Number(low)));
            }, 0);
            const alive = groups.find(({ groupId }) => groupId === groupOf(step))?.members.length ?? 0;
            return { step, alive, lag };
          }),
        );
      }),
  };
};
