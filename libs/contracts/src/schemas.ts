import { readFileSync } from "node:fs";

/** Every record that travels, by its Avro name; the file schemas/<name>.avsc holds its schema. */
export const recordNames = [
  "TenantProvisioningRequested",
  "TenantRemovalRequested",
  "TenantRequested",
  "TenantRollbackRequested",
  "TenantOperationRequested",
  "StepCompleted",
  "StepFailed",
  "StepCompensated",
  "StepCompensationFailed",
  "StepProgressed",
  "TenantProvisioned",
  "TenantProvisioningFailed",
  "TenantSuspended",
  "TenantResumed",
  "TenantCredentialsReplaced",
  "TenantRepaired",
  "TenantRemovalStarted",
  "TenantRestored",
  "TenantRemoved",
  "TenantRemovalRefused",
  "TenantTierChanged",
  "TenantMigrated",
  "TenantCredentialsRotated",
  "TenantDegraded",
  "TenantRecovered",
  "TenantState",
] as const;

export type RecordName = (typeof recordNames)[number];

export const namespace = "com.deeplens.tenants";

/** The full name of a record: what the subject in the registry and `ce_type` bear. */
export const fullNameOf = (record: RecordName): string => `${namespace}.${record}`;

/** The record of a full name, or undefined for one that is not ours. */
export const recordOf = (fullName: string): RecordName | undefined =>
  recordNames.find((name) => fullNameOf(name) === fullName);

/** The Avro schema of a record, as the text of its file. */
export const schemaText = (record: RecordName): string =>
  readFileSync(new URL(`./schemas/${record}.avsc`, import.meta.url), "utf8");

/** The registry's subject of a record on a topic: TopicRecordNameStrategy. */
export const subjectOf = (topic: string, record: RecordName): string => `${topic}-${fullNameOf(record)}`;
