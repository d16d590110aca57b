import assert from "node:assert/strict";
import { kafkaPrefix, kafkaUserName } from "@deeplens/contracts";
import { createLogger } from "@deeplens/telemetry";
import { stack } from "@deeplens/testing";
import type { Tenant } from "@deeplens/worker";
import { countAcls, revokeAll } from "../kafka-acls.ts";
import { groupsUnder, type KafkaCluster, openKafkaCluster, topicsUnder } from "../kafka-cluster.ts";

export const installation = "deeplens-test";

/** The test installation's cluster, connected; disconnect its `admin` when done. */
export const openTestCluster = async (): Promise<KafkaCluster> => {
  const cluster = openKafkaCluster(stack().kafka, createLogger("test", "silent"));
  await cluster.admin.connect();
  return cluster;
};

export interface KafkaThings {
  readonly topics: readonly string[];
  readonly groups: readonly string[];
  readonly user: boolean;
  readonly acls: number;
}

/** What stands in the cluster now under the tenant's names; `user` and `acls` of both logins. */
export const kafkaThings = async (cluster: KafkaCluster, tenant: Tenant): Promise<KafkaThings> => {
  const prefix = kafkaPrefix(installation, tenant.slug);
  const users = usersOf(tenant);
  const signal = new AbortController().signal;
  const there = await Promise.all(users.map((user) => cluster.users.has(user, signal)));
  const acls = await Promise.all(users.map((user) => countAcls(cluster.admin, `User:${user}`)));
  return {
    topics: await topicsUnder(cluster.admin, prefix),
    groups: await groupsUnder(cluster.admin, prefix),
    user: there.includes(true),
    acls: acls.reduce<number>((sum, count) => sum + (count ?? 0), 0),
  };
};

const usersOf = ({ slug }: Tenant): string[] => [kafkaUserName(slug), kafkaUserName(slug, 2)];

export const assertNothingInKafka = async (cluster: KafkaCluster, tenant: Tenant): Promise<void> =>
  assert.deepEqual(await kafkaThings(cluster, tenant), { topics: [], groups: [], user: false, acls: 0 });

/** Removes whatever bears the tenant's names, whoever made it. */
export const sweepKafka = async (cluster: KafkaCluster, tenant: Tenant): Promise<void> => {
  const { topics, groups, user, acls } = await kafkaThings(cluster, tenant);
  if (topics.length > 0) await cluster.admin.deleteTopics({ topics: [...topics] });
  if (groups.length > 0) await cluster.admin.deleteGroups([...groups]);
  for (const name of usersOf(tenant)) {
    if (user) await cluster.users.remove(name, new AbortController().signal);
    if (acls > 0) await revokeAll(cluster.admin, `User:${name}`);
  }
};
