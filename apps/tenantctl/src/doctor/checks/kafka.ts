import { topicName, topicsOf } from "@deeplens/contracts";
import { type Check, type Finding, problem, warning } from "../check.ts";
import { inCluster } from "../cluster.ts";
import { restart, someOf } from "../patient.ts";

/** Kafka takes the installation's login, has its topics, and every partition has its leader and its replicas. */
export const kafka: Check = {
  name: "kafka",
  needs: [],
  unanswered: (patient) => restart(patient, "kafka"),
  examine: (patient) =>
    inCluster(patient, async (admin) => {
      const { installation } = patient;
      const there = (await admin.listTopics()).filter((topic) => topic.startsWith(`${installation}.`));
      const expected = topicsOf().map((topic) => topicName(installation, topic));
      const missing = expected.filter((topic) => !there.includes(topic));
      const topics = there.length === 0 ? [] : (await admin.fetchTopicMetadata({ topics: there })).topics;
      const { brokers } = await admin.describeCluster();
      return {
        seen: `${brokers.length} brokers, ${topics.length} topics`,
        findings: [
          ...(missing.length === 0
            ? []
            : [
                problem(
                  `topics are missing: ${someOf(missing)}`,
                  `docker restart ${installation}-saga-orchestrator    (it makes them at its start)`,
                ),
              ]),
          ...topics.flatMap((topic) => replicasOf(topic)),
        ],
      };
    }),
};

interface TopicSight {
  readonly name: string;
  readonly partitions: readonly {
    readonly partitionId: number;
    readonly leader: number;
    readonly replicas: readonly number[];
    readonly isr: readonly number[];
  }[];
}

/** What is wrong with a topic's replicas, at most one finding each for leaders and for replicas. */
export const replicasOf = ({ name, partitions }: TopicSight): readonly Finding[] => {
  const leaderless = partitions.filter(({ leader }) => leader < 0);
  const lagging = partitions.filter(
    ({ leader, replicas, isr }) => leader >= 0 && isr.length < replicas.length,
  );
  const absent = [
    ...new Set(
      [...leaderless, ...lagging].flatMap(({ replicas, isr }) => replicas.filter((id) => !isr.includes(id))),
    ),
  ];
  const mend = `start the brokers with the ids ${absent.join(", ")}; they catch up by themselves`;
  const numbers = (some: TopicSight["partitions"]): string =>
    some.map(({ partitionId }) => partitionId).join(", ");
  return [
    ...(leaderless.length === 0
      ? []
      : [problem(`topic ${name}: partitions ${numbers(leaderless)} have no leader`, mend)]),
    ...(lagging.length === 0
      ? []
      : [warning(`topic ${name}: partitions ${numbers(lagging)} lack replicas in sync (ISR)`, mend)]),
  ];
};
