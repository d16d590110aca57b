import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { ReceiptLine } from "@deeplens/contracts";
import { letsIn } from "@deeplens/messaging";
import {
  credentialOf,
  type Life,
  loginsIn,
  missing,
  type Operation,
  type OperationDone,
  operationDone,
  ownResource,
  removeResource,
  type StepContext,
  type Tenant,
} from "@deeplens/worker";
import { countAcls, denyEverything, endDenial } from "./kafka-acls.ts";
import { deleteGroups, groupsUnder, type KafkaCluster, topicsUnder } from "./kafka-cluster.ts";
import {
  deleteTopic,
  foreign,
  groupKind,
  type KafkaNames,
  kafkaSecret,
  namesOf,
  portsOf,
  proofMs,
  retryMs,
  topicKind,
  userPorts,
} from "./tenant-kafka.ts";

/**
 * A tenant's share of Kafka after its making. Suspended, its user is denied everything, so that sessions that are open
 * can do nothing; and has a password that nobody knows, so that none is opened. Its topic, its rights and its groups
 * stay. A cluster without an authorizer asks nobody for a password: there is nothing to suspend, and the receipt says so.
 */
export const kafkaLife = (cluster: KafkaCluster): Life => ({
  suspend: suspend(cluster),
  resume: resume(cluster),
  purge: purge(cluster),
});

const suspend =
  (cluster: KafkaCluster): Operation =>
  async ({ tenant }, context) => {
    const first = namesOf(tenant, context.installation);
    if (!(await isGuarded(cluster, first, context))) return answer(first, "no-authorizer");
    const passwords = loginsIn(await context.secrets.versions(kafkaSecret));
    if (passwords.length === 0)
      return answer(first, await shutOut(cluster, tenant, first, undefined, context));
    const receipt: ReceiptLine[] = [];
    for (const { login, value } of passwords) {
      const names = namesOf(tenant, context.installation, login);
      receipt.push(lineOf(names, await shutOut(cluster, tenant, names, value, context)));
    }
    return operationDone(receipt);
  };

const shutOut = async (
  cluster: KafkaCluster,
  tenant: Tenant,
  names: KafkaNames,
  password: string | undefined,
  context: StepContext,
): Promise<"refused" | "absent"> => {
  const { user, acls } = portsOf(cluster, tenant, names);
  if ((await ownResource(context, tenant, user)) === "absent") return "absent";
  // Both make something where they land after a removal: intents until they are known to be over (PROTOCOL.md 14).
  await context.ledger.intend(keyOf(acls));
  await context.call("deny the Kafka user everything", () => denyEverything(cluster.admin, names.principal));
  await context.ledger.made(keyOf(acls));
  if (password !== undefined)
    await context.call("be denied by Kafka", (signal) => proveDenied(cluster, names, password, signal));
  await context.ledger.intend(keyOf(user));
  await context.call("lock the Kafka user out", (signal) =>
    cluster.users.put(names.user, randomBytes(32).toString("base64url"), signal),
  );
  await context.ledger.made(keyOf(user));
  if (password !== undefined)
    await context.call("be refused by Kafka", (signal) =>
      proveLogin(cluster, names, password, false, signal),
    );
  return "refused";
};

const resume =
  (cluster: KafkaCluster): Operation =>
  async (command, context) => {
    const { tenant } = command;
    const first = namesOf(tenant, context.installation);
    if (!(await isGuarded(cluster, first, context))) return answer(first, "no-authorizer");
    const credential = await credentialOf(command, context, kafkaSecret);
    const names = namesOf(tenant, context.installation, credential?.login);
    const password = credential?.value;
    const { user } = portsOf(cluster, tenant, names);
    if ((await ownResource(context, tenant, user)) === "absent" || password === undefined)
      throw missing(keyOf(user), tenant.slug);
    await context.ledger.intend(keyOf(user));
    await context.call("let the Kafka user in", (signal) => cluster.users.put(names.user, password, signal));
    await context.ledger.made(keyOf(user));
    await context.call("end what the Kafka user is denied", () => endDenial(cluster.admin, names.principal));
    await context.call("see the Kafka topic as its tenant", (signal) =>
      proveSight(cluster, names, password, signal),
    );
    return answer(names, "answers");
  };

/** The user goes first; then its topic with its records, and the groups that only it could have made. */
const purge =
  (cluster: KafkaCluster): Operation =>
  async ({ tenant, sagaId }, context) => {
    const names = namesOf(tenant, context.installation);
    const { topic } = portsOf(cluster, tenant, names);
    const users = await userPorts(cluster, tenant, context);
    const receipt: ReceiptLine[] = [];
    const groupsAreOurs = await isGuarded(cluster, names, context);
    for (const resource of [
      ...users.flatMap(({ acls, user }) => [acls, user]),
      { ...topic, remove: (signal: AbortSignal) => deleteTopic(cluster.admin, names.topic, signal) },
    ])
      receipt.push(await removeResource(context, tenant, resource, { sagaId }));
    const left = await context.call(
      "remove the Kafka groups of the prefix",
      async (signal): Promise<ReceiptLine[]> => {
        const groups = await groupsUnder(cluster.admin, names.prefix);
        const ours = groups.filter((group) => groupsAreOurs || group.startsWith(names.group));
        if (ours.length > 0) await deleteGroups(cluster.admin, ours, groupMs, signal);
        const topics = await topicsUnder(cluster.admin, names.prefix);
        return [
          ...groups.map((name) =>
            ours.includes(name) ? { kind: groupKind, name, outcome: "removed" } : foreign(groupKind, name),
          ),
          ...topics.filter((name) => name !== names.topic).map((name) => foreign(topicKind, name)),
        ];
      },
    );
    return operationDone([...receipt, ...left]);
  };

// Members that can do nothing any more stay in their group until Kafka misses their heartbeat; a retry goes on waiting.
const groupMs = 20_000;

/** False on a cluster without an authorizer. */
export const isGuarded = (cluster: KafkaCluster, names: KafkaNames, context: StepContext): Promise<boolean> =>
  context.call(
    "ask Kafka whether it has an authorizer",
    async () => (await countAcls(cluster.admin, names.principal)) !== undefined,
  );

const keyOf = ({ kind, name }: { kind: string; name: string }) => ({ kind, name });

/** With the tenant's own session: it sees nothing. Where it can't log in any more an earlier try came further. */
const proveDenied = async (
  cluster: KafkaCluster,
  names: KafkaNames,
  password: string,
  signal: AbortSignal,
): Promise<void> => {
  if (!(await letsIn(loginOf(cluster, names, password), signal))) return;
  await until(
    async () => !(await seesTopic(cluster, names, password)),
    signal,
    `Kafka still shows ${names.topic} to its tenant`,
  );
};

/** @throws where the user is let in and was to be refused, or the other way round */
export const proveLogin = (
  cluster: KafkaCluster,
  names: KafkaNames,
  password: string,
  expected: boolean,
  signal: AbortSignal,
): Promise<void> =>
  until(
    async () => (await letsIn(loginOf(cluster, names, password), signal)) === expected,
    signal,
    expected ? `Kafka does not let ${names.user} in` : `Kafka still lets ${names.user} in`,
  );

const loginOf = ({ brokers }: KafkaCluster, { user: username }: KafkaNames, password: string) => ({
  ...{ brokers, username, password },
});

const seesTopic = async (cluster: KafkaCluster, names: KafkaNames, password: string): Promise<boolean> => {
  const admin = cluster.as({ username: names.user, password }).admin();
  await admin.connect();
  try {
    return (await admin.listTopics()).includes(names.topic);
  } finally {
    await admin.disconnect();
  }
};

/** @throws where the user is not let in, or does not see the tenant's topic */
export const proveSight = async (
  cluster: KafkaCluster,
  names: KafkaNames,
  password: string,
  signal: AbortSignal,
): Promise<void> => {
  await proveLogin(cluster, names, password, true, signal);
  await until(() => seesTopic(cluster, names, password), signal, `Kafka shows ${names.topic} to nobody`);
};

/** A change that the controller took reaches every broker after a moment. */
const until = async (look: () => Promise<boolean>, signal: AbortSignal, otherwise: string): Promise<void> => {
  for (const began = Date.now(); !(await look()); await delay(retryMs, undefined, { signal }))
    if (Date.now() - began > proofMs) throw new Error(otherwise);
};

const lineOf = (names: KafkaNames, outcome: string): ReceiptLine => ({
  ...{ kind: "kafka-user", name: names.user },
  outcome,
});

const answer = (names: KafkaNames, outcome: string): OperationDone => operationDone([lineOf(names, outcome)]);
