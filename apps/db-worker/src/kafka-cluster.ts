import { setTimeout as delay } from "node:timers/promises";
import {
  type Admin,
  connectKafka,
  isKafkaError,
  type Kafka,
  type KafkaAddress,
  scramUsers,
} from "@deeplens/messaging";
import type { Logger } from "@deeplens/telemetry";

/** The cluster where tenants' topics live, with the administrator's means to change it. */
export interface KafkaCluster {
  /** Where the administrator and tenants reach it. */
  readonly brokers: readonly string[];
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly users: ReturnType<typeof scramUsers>;
  /** A client with other credentials. */
  as(login: { username: string; password: string }): Kafka;
}

/** Wires the cluster; connects nothing yet: `admin.connect()` does. */
export const openKafkaCluster = (address: KafkaAddress, log: Logger): KafkaCluster => {
  const kafka = connectKafka(address, { clientId: "deeplens-db-worker", log });
  return {
    brokers: address.brokers,
    kafka,
    admin: kafka.admin(),
    users: scramUsers(address),
    as: (login) =>
      connectKafka(
        { brokers: address.brokers, ...login },
        { clientId: "deeplens-db-worker-probe", log, requestMs: 10_000, retries: 2 },
      ),
  };
};

/** Names of the topics that start with the prefix. */
export const topicsUnder = async (admin: Admin, prefix: string): Promise<string[]> =>
  (await admin.listTopics()).filter((topic) => topic.startsWith(prefix)).sort();

/** Ids of the consumer groups that start with the prefix. */
export const groupsUnder = async (admin: Admin, prefix: string): Promise<string[]> => {
  const { groups } = await admin.listGroups();
  return groups.map(({ groupId }) => groupId).filter((group) => group.startsWith(prefix));
};

/** Deletes the groups; one that still has a silent member gets `waitMs` to lose it. */
export const deleteGroups = async (
  admin: Admin,
  groups: readonly string[],
  waitMs: number,
  signal: AbortSignal,
): Promise<void> => {
  for (const began = Date.now(); ; await delay(250, undefined, { signal })) {
    try {
      await admin.deleteGroups([...groups]);
      return;
    } catch (error) {
      if (Date.now() - began > waitMs) throw error;
      // A member that fell silent is let go of after a while; a group that is gone is seen below.
    }
    if ((await groupsUnder(admin, "")).every((group) => !groups.includes(group))) return;
  }
};

/**
 * Waits until a change that the controller took is seen by the brokers that answer: they learn of it a moment later,
 * and a look that comes before would find what is gone, or miss what is there.
 */
export const seen = async (look: () => Promise<boolean>, signal: AbortSignal): Promise<void> => {
  while (!(await look())) await delay(20, undefined, { signal });
};

const settling = ["NOT_LEADER_FOR_PARTITION", "LEADER_NOT_AVAILABLE", "UNKNOWN_TOPIC_OR_PARTITION"];
const settlingMs = 5_000;

/** The first and the next offset of each partition; a topic that was just made gets a moment to find its leaders. */
export const offsetsOf = async (
  admin: Admin,
  topic: string,
  signal: AbortSignal,
): Promise<readonly { partition: number; low: number; high: number }[]> => {
  for (const began = Date.now(); ; await delay(50, undefined, { signal })) {
    try {
      const offsets = await admin.fetchTopicOffsets(topic);
      return offsets.map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }));
    } catch (error) {
      if (Date.now() - began > settlingMs || !settling.some((type) => isKafkaError(error, type))) throw error;
    }
  }
};
