import { setTimeout as delay } from "node:timers/promises";
import {
  kafkaPrefix,
  kafkaUserName,
  type Login,
  type ReceiptLine,
  tenantTopicName,
} from "@deeplens/contracts";
import type { Admin, Kafka } from "@deeplens/messaging";
import {
  ensureResource,
  nothing,
  ownedByOther,
  type PartCommand,
  PermanentStepError,
  removeResource,
  type StepContext,
  type StepDone,
  type Tenant,
  type UndoCommand,
  unlabelled,
} from "@deeplens/worker";
import { countAcls, grantedRights, grantPrefix, revokeAll } from "./kafka-acls.ts";
import { deleteGroups, groupsUnder, type KafkaCluster, seen, topicsUnder } from "./kafka-cluster.ts";
import {
  countForeignRecords,
  probePartition,
  probeSessionMs,
  produceProbe,
  readUntil,
  removeProbes,
} from "./kafka-records.ts";
import type { DatabasePart } from "./provision.ts";

export const kafkaSecret = "kafka.user";

const partitions = 3;
const retentionMs = 7 * 24 * 60 * 60 * 1_000;

/**
 * A tenant's share of Kafka: its topic, and, where the cluster has an authorizer, a user that may use what bears the
 * tenant's prefix. Nothing in Kafka bears a label, so the ledger alone says whose a thing is: a topic, a user or
 * rights that were there before are somebody else's.
 */
export const tenantKafka = (cluster: KafkaCluster): DatabasePart => ({
  provision: (command, context) => provision(cluster, command, context),
  compensate: (command, context) => compensate(cluster, command, context),
});

const provision = async (
  cluster: KafkaCluster,
  { tenant }: PartCommand,
  context: StepContext,
): Promise<StepDone> => {
  const { value: password, login } = await context.secrets.ensure(kafkaSecret);
  const names = namesOf(tenant, context.installation, login);
  const guarded = await context.call(
    "ask Kafka whether it has an authorizer",
    async () => (await countAcls(cluster.admin, names.principal)) !== undefined,
  );
  await context.call("look for other Kafka topics of the prefix", () =>
    refuseStrangers(cluster, tenant, names),
  );
  const ports = portsOf(cluster, tenant, names, password);
  const made = guarded ? [ports.topic, ports.user, ports.acls] : [ports.topic];
  for (const port of made) {
    const outcome = await ensureResource(context, tenant, port);
    // Found: a try before may have died in the middle of it.
    if (outcome === "created" || port === ports.topic) continue;
    // It makes the thing anew where it lands after an undo: an intent until it is known to be over (PROTOCOL.md 14).
    await context.ledger.intend({ kind: port.kind, name: port.name });
    await context.call(`set ${port.kind} again`, (signal) => port.create(signal));
    await context.ledger.made({ kind: port.kind, name: port.name });
  }
  await context.call("use Kafka as its tenant", (signal) =>
    prove(guarded ? cluster.as({ username: names.user, password }) : cluster.kafka, tenant, names, signal),
  );
  await context.call("remove the probe from Kafka", (signal) => tidy(cluster, names, signal));
  return {
    outputs: {
      kafkaBrokers: cluster.brokers.join(","),
      topic: names.topic,
      kafkaPrefix: names.prefix,
      kafkaAuthorization: guarded ? "acls" : "none",
      ...(guarded ? { kafkaUser: names.user } : {}),
    },
    resources: made.map(({ kind, name }) => ({ kind, name })),
  };
};

const compensate = async (
  cluster: KafkaCluster,
  { tenant }: UndoCommand,
  context: StepContext,
): Promise<readonly ReceiptLine[]> => {
  const names = namesOf(tenant, context.installation);
  const ports = portsOf(cluster, tenant, names);
  const row = await context.ledger.find({ kind: ports.topic.kind, name: names.topic });
  const ours = row?.owner === tenant.tenantId && row.state !== "gone";
  if (ours)
    await context.call("look into the Kafka topic", async (signal) => {
      const there = await topicsUnder(cluster.admin, names.topic);
      if (there.includes(names.topic)) await refuseForeignRecords(cluster, tenant, names, signal);
    });
  const receipt: ReceiptLine[] = [];
  for (const { acls, user } of await userPorts(cluster, tenant, context))
    receipt.push(await removeResource(context, tenant, acls), await removeResource(context, tenant, user));
  receipt.push(await removeResource(context, tenant, ports.topic));
  const left = await context.call("look for anything in Kafka under the prefix", async (signal) => {
    const groups = await removeGroups(cluster, names, signal);
    const topics = await topicsUnder(cluster.admin, names.prefix);
    return [
      ...groups,
      ...topics.filter((name) => name !== names.topic).map((name) => foreign(topicKind, name)),
    ];
  });
  return [...receipt, ...left];
};

export const topicKind = "kafka-topic";

export interface KafkaNames {
  readonly topic: string;
  readonly prefix: string;
  readonly user: string;
  readonly principal: string;
  /** The group of the proof; it bears the prefix, and so the tenant may use it. */
  readonly group: string;
}

export const namesOf = ({ slug }: Tenant, installation: string, login: Login = 1): KafkaNames => ({
  topic: tenantTopicName(installation, slug),
  prefix: kafkaPrefix(installation, slug),
  user: kafkaUserName(slug, login),
  principal: `User:${kafkaUserName(slug, login)}`,
  group: `${kafkaPrefix(installation, slug)}deeplens-probe`,
});

export const portsOf = (cluster: KafkaCluster, tenant: Tenant, names: KafkaNames, password = "") => {
  const { admin, users } = cluster;
  const topicThere = async (): Promise<boolean> =>
    (await topicsUnder(admin, names.topic)).includes(names.topic);
  const rights = async (): Promise<number> => (await countAcls(admin, names.principal)) ?? 0;
  return {
    topic: {
      kind: topicKind,
      name: names.topic,
      look: async () => ((await topicThere()) ? unlabelled : nothing),
      create: async (signal: AbortSignal) => {
        await admin.createTopics({
          waitForLeaders: false, // it fails where the broker has not heard of the topic yet
          topics: [
            {
              topic: names.topic,
              numPartitions: partitions,
              replicationFactor: -1,
              configEntries: [{ name: "retention.ms", value: String(retentionMs) }],
            },
          ],
        });
        await seen(topicThere, signal);
      },
      remove: async (signal: AbortSignal) => {
        await refuseForeignRecords(cluster, tenant, names, signal);
        await deleteTopic(admin, names.topic, signal);
      },
    },
    user: {
      kind: "kafka-user",
      name: names.user,
      look: async (signal: AbortSignal) => ((await users.has(names.user, signal)) ? unlabelled : nothing),
      create: async (signal: AbortSignal) => {
        await users.put(names.user, password, signal);
        await seen(() => users.has(names.user, signal), signal);
      },
      remove: async (signal: AbortSignal) => {
        await users.remove(names.user, signal);
        await seen(async () => !(await users.has(names.user, signal)), signal);
      },
    },
    acls: {
      kind: "kafka-acls",
      name: names.principal,
      look: async () => ((await rights()) > 0 ? unlabelled : nothing),
      create: async (signal: AbortSignal) => {
        await grantPrefix(admin, names.principal, names.prefix);
        await seen(async () => (await rights()) >= grantedRights, signal);
      },
      remove: async (signal: AbortSignal) => {
        await revokeAll(admin, names.principal);
        await seen(async () => (await rights()) === 0, signal);
      },
    },
  };
};

/** The tenant's user with its rights; and the second one, where a rotation meant to make it. */
export const userPorts = async (cluster: KafkaCluster, tenant: Tenant, context: StepContext) => {
  const second = namesOf(tenant, context.installation, 2);
  const known = await context.ledger.owned();
  const isMeant = known.some(({ name }) => name === second.user || name === second.principal);
  const logins: readonly Login[] = isMeant ? [1, 2] : [1];
  return logins.map((login) => portsOf(cluster, tenant, namesOf(tenant, context.installation, login)));
};

/** Deletes the topic with its records. */
export const deleteTopic = async (admin: Admin, topic: string, signal: AbortSignal): Promise<void> => {
  await admin.deleteTopics({ topics: [topic] });
  await seen(async () => !(await topicsUnder(admin, topic)).includes(topic), signal);
};

// The tenant's rights reach everything under its prefix: what lies there already would be handed to it.
const refuseStrangers = async (cluster: KafkaCluster, tenant: Tenant, names: KafkaNames): Promise<void> => {
  const [stranger] = (await topicsUnder(cluster.admin, names.prefix)).filter((name) => name !== names.topic);
  if (stranger !== undefined) throw ownedByOther({ kind: topicKind, name: stranger }, tenant.slug);
};

const refuseForeignRecords = async (
  { admin, kafka }: KafkaCluster,
  tenant: Tenant,
  { topic, group }: KafkaNames,
  signal: AbortSignal,
): Promise<void> => {
  if ((await countForeignRecords(admin, { kafka, topic, group, signal })) === 0) return;
  throw new PermanentStepError(
    "topic-not-empty",
    `topic ${topic} of tenant ${tenant.slug} holds records that its provisioning did not put there; it was left as it is. Save or remove them, then retry the rollback`,
  );
};

export const proofMs = 15_000;
export const retryMs = 200;

/** One record out and back. A user and its rights reach every broker after a moment: refusals are tried again. */
const prove = async (kafka: Kafka, tenant: Tenant, names: KafkaNames, signal: AbortSignal): Promise<void> => {
  const { topic, group } = names;
  for (const began = Date.now(); ; await delay(retryMs, undefined, { signal })) {
    try {
      const probe = await produceProbe(kafka, topic, tenant.tenantId);
      await readUntil(
        { kafka, topic, group, signal },
        ({ partition, offset }) => partition === probePartition && offset === probe,
      );
      return;
    } catch (error) {
      signal.throwIfAborted();
      if (Date.now() - began > proofMs) throw error;
    }
  }
};

const tidy = async (cluster: KafkaCluster, names: KafkaNames, signal: AbortSignal): Promise<void> => {
  const { admin, kafka } = cluster;
  const { topic, group } = names;
  await removeProbes(admin, { kafka, topic, group, signal });
  await removeGroups(cluster, names, signal);
};

// Only the probe's group is ours; another one under the prefix was made by somebody else.
const removeGroups = async (
  cluster: KafkaCluster,
  names: KafkaNames,
  signal: AbortSignal,
): Promise<ReceiptLine[]> => {
  const groups = await groupsUnder(cluster.admin, names.prefix);
  const ours = groups.filter((group) => group.startsWith(names.group));
  if (ours.length > 0) await deleteGroups(cluster.admin, ours, probeSessionMs + 2_000, signal);
  return groups.map((name) =>
    ours.includes(name) ? { kind: groupKind, name, outcome: "removed" } : foreign(groupKind, name),
  );
};

export const groupKind = "kafka-group";
export const foreign = (kind: string, name: string): ReceiptLine => ({ kind, name, outcome: "foreign" });
