import { setTimeout as delay } from "node:timers/promises";
import { type Admin, connectKafka, type Kafka, type KafkaAddress, scramUsers } from "@deeplens/messaging";
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

/** Deletes a topic and waits until the cluster does not name it any more. */
export const deleteTopic = async (admin: Admin, topic: string, signal: AbortSignal): Promise<void> => {
  await admin.deleteTopics({ topics: [topic] });
  while ((await topicsUnder(admin, topic)).includes(topic)) await delay(50, undefined, { signal });
};
