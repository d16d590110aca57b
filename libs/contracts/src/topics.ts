import type { RecordName } from "./schemas.ts";
import { type StepName, stepNames } from "./steps.ts";

type Party =
  | "upstream services"
  | "orchestrator"
  | `${StepName} worker`
  | "workers"
  | "subscribers"
  | "operators";

export interface Topic {
  /** Its name without the installation's prefix. */
  readonly suffix: string;
  readonly partitions: "one a shard";
  readonly retention: { readonly policy: "delete"; readonly days: number } | { readonly policy: "compact" };
  readonly maximumRecordBytes: number;
  readonly records: readonly RecordName[] | "as they were";
  readonly writer: readonly Party[];
  readonly readers: readonly Party[];
}

const maximumRecordBytes = 1_048_576;
// A dead letter is the source's record with more headers: room for the largest one and for them.
const deadLetterRoomBytes = 65_536;

const topic = (suffix: string, rest: Omit<Topic, "suffix" | "partitions" | "maximumRecordBytes">): Topic => ({
  suffix,
  partitions: "one a shard",
  maximumRecordBytes,
  ...rest,
});

const week = { policy: "delete", days: 7 } as const;

export const requestsTopic = topic("tenants.requests", {
  retention: week,
  records: ["TenantProvisioningRequested", "TenantRemovalRequested"],
  writer: ["upstream services"],
  readers: ["orchestrator"],
});

export const commandsTopic = (step: string): Topic =>
  topic(`tenants.commands.${step}`, {
    retention: week,
    records: ["TenantRequested", "TenantRollbackRequested", "TenantOperationRequested"],
    writer: ["orchestrator"],
    readers: [`${step as StepName} worker`],
  });

export const repliesTopic = topic("tenants.replies", {
  retention: week,
  records: ["StepCompleted", "StepFailed", "StepCompensated", "StepCompensationFailed", "StepProgressed"],
  writer: ["workers"],
  readers: ["orchestrator"],
});

export const lifecycleTopic = topic("tenants.lifecycle", {
  retention: { policy: "delete", days: 30 },
  records: [
    "TenantProvisioned",
    "TenantProvisioningFailed",
    "TenantSuspended",
    "TenantResumed",
    "TenantCredentialsReplaced",
    "TenantRepaired",
    "TenantCredentialsRotated",
    "TenantRemovalStarted",
    "TenantRestored",
    "TenantRemoved",
    "TenantRemovalRefused",
    "TenantTierChanged",
    "TenantMigrated",
    "TenantDegraded",
    "TenantRecovered",
  ],
  writer: ["orchestrator"],
  readers: ["subscribers"],
});

export const stateTopic = topic("tenants.state", {
  retention: { policy: "compact" },
  records: ["TenantState"],
  writer: ["orchestrator"],
  readers: ["subscribers"],
});

const deadLetterEnding = ".dlq";

/** in: a topic's name. out: whether it holds dead letters. */
export const isDeadLetterTopic = (name: string): boolean => name.endsWith(deadLetterEnding);

/** Where a record of that topic goes, as it was, when it can't be read or handled. */
export const deadLetterTopic = (source: Topic): Topic => ({
  ...source,
  suffix: `${source.suffix}${deadLetterEnding}`,
  retention: { policy: "delete", days: 30 },
  maximumRecordBytes: source.maximumRecordBytes + deadLetterRoomBytes,
  records: "as they were",
  writer: source.readers,
  readers: ["operators"],
});

/** Every topic of an installation; what creates them and what documents them read this. */
export const topicsOf = (steps: readonly string[] = stepNames): readonly Topic[] => {
  const read = [requestsTopic, ...steps.map(commandsTopic), repliesTopic];
  return [...read, lifecycleTopic, stateTopic, ...read.map(deadLetterTopic)];
};

/** The topic's whole name on the cluster. */
export const topicName = (installation: string, of: Topic): string => `${installation}.${of.suffix}`;
