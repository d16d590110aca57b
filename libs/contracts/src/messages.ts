import type {
  StepCompensated,
  StepCompensationFailed,
  StepCompleted,
  StepFailed,
  StepProgressed,
  TenantCredentialsReplaced,
  TenantCredentialsRotated,
  TenantDegraded,
  TenantMigrated,
  TenantOperationRequested,
  TenantProvisioned,
  TenantProvisioningFailed,
  TenantProvisioningRequested,
  TenantRecovered,
  TenantRemovalRefused,
  TenantRemovalRequested,
  TenantRemovalStarted,
  TenantRemoved,
  TenantRepaired,
  TenantRequested,
  TenantRestored,
  TenantResumed,
  TenantRollbackRequested,
  TenantState,
  TenantSuspended,
  TenantTierChanged,
} from "./generated/messages.ts";

/** A message with the name of its record: what the code switches on. */
export type Request =
  | { record: "TenantProvisioningRequested"; value: TenantProvisioningRequested }
  | { record: "TenantRemovalRequested"; value: TenantRemovalRequested };

export type Command =
  | { record: "TenantRequested"; value: TenantRequested }
  | { record: "TenantRollbackRequested"; value: TenantRollbackRequested }
  | { record: "TenantOperationRequested"; value: TenantOperationRequested };

export type Reply =
  | { record: "StepCompleted"; value: StepCompleted }
  | { record: "StepFailed"; value: StepFailed }
  | { record: "StepCompensated"; value: StepCompensated }
  | { record: "StepCompensationFailed"; value: StepCompensationFailed }
  | { record: "StepProgressed"; value: StepProgressed };

export type LifecycleEvent =
  | { record: "TenantProvisioned"; value: TenantProvisioned }
  | { record: "TenantProvisioningFailed"; value: TenantProvisioningFailed }
  | { record: "TenantSuspended"; value: TenantSuspended }
  | { record: "TenantResumed"; value: TenantResumed }
  | { record: "TenantCredentialsReplaced"; value: TenantCredentialsReplaced }
  | { record: "TenantRepaired"; value: TenantRepaired }
  | { record: "TenantRemovalStarted"; value: TenantRemovalStarted }
  | { record: "TenantRestored"; value: TenantRestored }
  | { record: "TenantRemoved"; value: TenantRemoved }
  | { record: "TenantRemovalRefused"; value: TenantRemovalRefused }
  | { record: "TenantMigrated"; value: TenantMigrated }
  | { record: "TenantTierChanged"; value: TenantTierChanged }
  | { record: "TenantCredentialsRotated"; value: TenantCredentialsRotated }
  | { record: "TenantDegraded"; value: TenantDegraded }
  | { record: "TenantRecovered"; value: TenantRecovered };

export type StateRecord = { record: "TenantState"; value: TenantState };

export type Message = Request | Command | Reply | LifecycleEvent | StateRecord;

/** Names of the headers that a message bears beside CloudEvents'. */
export const headerNames = {
  id: "ce_id",
  type: "ce_type",
  source: "ce_source",
  specVersion: "ce_specversion",
  saga: "deeplens_saga",
  step: "deeplens_step",
  fence: "deeplens_fence",
  tenantId: "deeplens_tenant",
} as const;
