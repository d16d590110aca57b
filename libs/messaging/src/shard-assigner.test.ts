import assert from "node:assert/strict";
import { test } from "node:test";
import kafkajs, { type Cluster } from "kafkajs";
import { shardAssigner } from "./shard-assigner.ts";

const requests = "deeplens.tenants.requests";
const replies = "deeplens.tenants.replies";

const assign = async (members: readonly string[], partitions: Readonly<Record<string, number>>) => {
  const cluster = {
    findTopicPartitionMetadata: (topic: string) => Array.from({ length: partitions[topic] ?? 0 }),
  } as unknown as Cluster;
  const assigner = shardAssigner({ cluster, groupId: "group", logger: undefined as never });
  const assignment = await assigner.assign({
    members: members.map((memberId) => ({ memberId, memberMetadata: Buffer.alloc(0) })),
    topics: Object.keys(partitions),
  });
  return new Map(
    assignment.map(({ memberId, memberAssignment }) => [
      memberId,
      kafkajs.AssignerProtocol.MemberAssignment.decode(memberAssignment)?.assignment ?? {},
    ]),
  );
};

test("rule 01: a shard's partitions, one of each topic, go to one member", async () => {
  for (const members of [["a"], ["a", "b"], ["c", "a", "b"], ["a", "b", "c", "d", "e", "f", "g"]]) {
    const assigned = await assign(members, { [requests]: 6, [replies]: 6 });
    const owned: number[] = [];
    for (const [member, topics] of assigned) {
      assert.deepEqual(topics[requests], topics[replies], `${member} of ${members}`);
      owned.push(...(topics[requests] ?? []));
    }
    assert.deepEqual(owned.sort(), [0, 1, 2, 3, 4, 5], "every shard has one owner");
  }
});

test("rule 01: shards are shared out evenly, and a member more than there are shards gets none", async () => {
  const assigned = await assign(["a", "b", "c", "d"], { [requests]: 6, [replies]: 6 });
  assert.deepEqual(
    [...assigned.values()].map((topics) => topics[requests]?.length),
    [2, 2, 1, 1],
  );
  assert.deepEqual((await assign(["a", "b"], { [requests]: 1, [replies]: 1 })).get("b")?.[requests], []);
});

test("rule 01: it throws where the topics' partition counts differ", async () => {
  await assert.rejects(assign(["a"], { [requests]: 6, [replies]: 5 }), /differing partition counts: 6, 5/);
});

test("who leads the group makes no difference: members in any order get the same", async () => {
  const partitions = { [requests]: 6, [replies]: 6 };
  const one = await assign(["b", "a", "c"], partitions);
  const other = await assign(["c", "b", "a"], partitions);
  for (const [member, topics] of one) assert.deepEqual(other.get(member), topics);
});

test("members that speak another protocol can't share a group with it: its name is its own", () => {
  const { name, metadata } = shardAssigner({
    cluster: undefined as never,
    groupId: "group",
    logger: undefined as never,
  }).protocol({ topics: [requests, replies] });
  assert.equal(name, "deeplens-shards");
  assert.deepEqual(kafkajs.AssignerProtocol.MemberMetadata.decode(metadata)?.topics, [requests, replies]);
});
