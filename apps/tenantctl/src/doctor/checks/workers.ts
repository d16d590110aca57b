import { commandsTopic, repliesTopic, requestsTopic, stepNames, topicName } from "@deeplens/contracts";
import type { Admin } from "@deeplens/messaging";
import { type Check, type Finding, problem, warning } from "../check.ts";
import { inCluster } from "../cluster.ts";
import { type Patient, startAgain } from "../patient.ts";
import { workerOf } from "../services.ts";

/** The orchestrator and each worker take part in their consumer groups, and keep up. */
export const workers: Check = {
  name: "workers",
  needs: ["kafka"],
  unanswered: ({ installation }) => `docker restart ${installation}-kafka`,
  examine: (patient) =>
    inCluster(patient, async (admin) => {
      const there = new Set(await admin.listTopics());
      const groups = await Promise.all(readersOf(patient).map((reader) => look(admin, reader, there)));
      return {
        seen: `${groups.filter(({ members }) => members > 0).length} of ${groups.length} groups have members, ${groups.reduce((sum, { lag }) => sum + lag, 0)} records wait`,
        findings: groupsFindings(patient, groups),
      };
    }),
};

interface Reader {
  readonly service: string;
  readonly group: string;
  readonly topics: readonly string[];
}

const readersOf = ({ installation }: Patient): readonly Reader[] => [
  {
    service: "saga-orchestrator",
    group: `${installation}.saga-orchestrator`,
    topics: [topicName(installation, requestsTopic), topicName(installation, repliesTopic)],
  },
  ...stepNames.map((step) => ({
    service: workerOf[step],
    group: `${installation}.${step}-worker`,
    topics: [topicName(installation, commandsTopic(step))],
  })),
];

interface Group {
  readonly service: string;
  readonly members: number;
  /** Records that wait: written and not yet said to be done. */
  readonly lag: number;
}

const look = async (
  admin: Admin,
  { service, group, topics }: Reader,
  there: ReadonlySet<string>,
): Promise<Group> => {
  const known = topics.filter((topic) => there.has(topic)); // a missing one is a finding of Kafka's own check
  const [described, committed, ends] = await Promise.all([
    admin.describeGroups([group]),
    admin.fetchOffsets({ groupId: group, topics: known }),
    Promise.all(known.map((topic) => admin.fetchTopicOffsets(topic))),
  ]);
  const lag = known.flatMap((topic, index) =>
    (ends[index] ?? []).map(({ partition, low, high }) => {
      const at = committed
        .find((one) => one.topic === topic)
        ?.partitions.find((one) => one.partition === partition)?.offset;
      return Number(high) - Math.max(Number(low), Number(at ?? -1));
    }),
  );
  return {
    service,
    members: described.groups[0]?.members.length ?? 0,
    lag: lag.reduce((sum, one) => sum + one, 0),
  };
};

// What a worker takes in at once (its queue is full then), so more than this waits behind it.
const manyRecords = 250;

const groupsFindings = (patient: Patient, groups: readonly Group[]): readonly Finding[] => {
  const absent = groups.filter(({ members }) => members === 0).map(({ service }) => service);
  const waiting = groups.reduce((sum, { members, lag }) => sum + (members === 0 ? lag : 0), 0);
  const slow = groups.filter(({ members, lag }) => members > 0 && lag >= manyRecords);
  return [
    ...(absent.length === 0
      ? []
      : [
          problem(
            `nobody reads as ${absent.join(", ")}${waiting === 0 ? "" : `, and ${waiting} records wait`}`,
            startAgain(patient, absent),
          ),
        ]),
    ...slow.map(({ service, lag }) =>
      warning(
        `${lag} records wait for ${service}`,
        `docker logs --tail 100 ${patient.installation}-${service}    (where it is merely slow: raise WORKER_CONCURRENCY)`,
      ),
    ),
  ];
};
