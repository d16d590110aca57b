import {
  ensureResource,
  missing,
  type Operation,
  operationDone,
  ownResource,
  type Rotating,
  type Rotation,
  removeResource,
  twoLogins,
} from "@deeplens/worker";
import type { KafkaCluster } from "./kafka-cluster.ts";
import { isGuarded, proveLogin, proveSight } from "./kafka-life.ts";
import { kafkaSecret, namesOf, portsOf } from "./tenant-kafka.ts";

/**
 * A new password for a tenant's share of Kafka. A SCRAM user has one: a second user with the same rights has the new one,
 * until the next rotation turns back. Ended, the rights of the old user go first: what its open sessions ask for is
 * refused from then on. A cluster without an authorizer asks nobody for a password: nothing is rotated there.
 */
export const kafkaRotation = (cluster: KafkaCluster): Rotation => {
  const namesFor = ({ command, context }: Rotating, login: 1 | 2) =>
    namesOf(command.tenant, context.installation, login);
  const rotation = twoLogins({
    purpose: kafkaSecret,
    keyOf: (rotating, login) => ({ kind: "kafka-user", name: namesFor(rotating, login).user }),
    outputsOf: (rotating, { login }) => ({ kafkaUser: namesFor(rotating, login).user }),
    prove: (rotating, { login, value }, expected) => {
      const names = namesFor(rotating, login);
      return expected === "answers"
        ? rotating.context.call("see the Kafka topic as its tenant", (signal) =>
            proveSight(cluster, names, value, signal),
          )
        : rotating.context.call("be refused by Kafka", (signal) =>
            proveLogin(cluster, names, value, false, signal),
          );
    },
    open: async (rotating, { login, value }) => {
      const { command, context } = rotating;
      const { topic, user, acls } = portsOf(cluster, command.tenant, namesFor(rotating, login), value);
      if ((await ownResource(context, command.tenant, topic)) === "absent")
        throw missing({ kind: topic.kind, name: topic.name }, command.tenant.slug);
      for (const port of [user, acls]) {
        if ((await ensureResource(context, command.tenant, port)) === "created") continue;
        // Found: a try before may have died in the middle of it. An intent meanwhile, as at the tenant's making.
        await context.ledger.intend({ kind: port.kind, name: port.name });
        await context.call(`set ${port.kind} again`, (signal) => port.create(signal));
        await context.ledger.made({ kind: port.kind, name: port.name });
      }
    },
    close: async (rotating, login) => {
      const { command, context } = rotating;
      const { user, acls } = portsOf(cluster, command.tenant, namesFor(rotating, login));
      for (const port of [acls, user]) await removeResource(context, command.tenant, port);
    },
  });
  const whereGuarded =
    (operation: Operation): Operation =>
    async (command, context) => {
      const names = namesOf(command.tenant, context.installation);
      return (await isGuarded(cluster, names, context))
        ? operation(command, context)
        : operationDone([{ kind: "kafka-user", name: names.user, outcome: "no-authorizer" }]);
    };
  return {
    begin: whereGuarded(rotation.begin),
    end: whereGuarded(rotation.end),
    undo: whereGuarded(rotation.undo),
  };
};
