// Generated from src/schemas/*.avsc by `npm run generate`; do not edit.

export interface StorageRequest {
  /** deeplens, byos or none */
  readonly type: string;
  /** byos only: aws_s3, azure_blob or gcs */
  readonly provider: null | string;
  /** byos only: where the credentials were dropped off; never the credentials */
  readonly credentialRef: null | string;
}

export interface Administrator {
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
}

/** An upstream service asks for a tenant. The same requestId from the same ce_source is the same request. */
export interface TenantProvisioningRequested {
  /** Unique for the ce_source that sends it. */
  readonly requestId: string;
  /** The tenant's name; its slug is made from it. */
  readonly name: string;
  /** free, professional or enterprise */
  readonly tier: string;
  /** Where the tenant's objects live. */
  readonly storage: StorageRequest;
  /** The tenant's first administrator. */
  readonly administrator: Administrator;
  /** ISO 8601 */
  readonly requestedAt: string;
}

/** The orchestrator commands a worker to do its step for a tenant. */
export interface TenantRequested {
  /** The saga that speaks or is spoken to. */
  readonly sagaId: string;
  /** Owner of everything the tenant has; never changes. */
  readonly tenantId: string;
  /** The tenant's name in the names of its resources. */
  readonly slug: string;
  /** The step: database, storage, vectors, backup or identity. */
  readonly step: string;
  /** Grows with every command of any saga for this slug; a reply bears its command's. */
  readonly fence: number;
  /** 1 for the first try of this step. */
  readonly attempt: number;
  /** How long the work may take once it was begun, in ms. */
  readonly workMs: number;
  /** ISO 8601: a command that was not begun by then is not begun any more. */
  readonly expiresAt: string;
  readonly name: string;
  readonly tier: string;
  readonly storageType: string;
  /** The tenant's first administrator. */
  readonly administrator: Administrator;
  /** What completed steps put out, as <step>.<name>. */
  readonly inputs: { readonly [key: string]: string };
}

/** The orchestrator commands a worker to undo its step for a tenant. */
export interface TenantRollbackRequested {
  /** The saga that speaks or is spoken to. */
  readonly sagaId: string;
  /** Owner of everything the tenant has; never changes. */
  readonly tenantId: string;
  /** The tenant's name in the names of its resources. */
  readonly slug: string;
  /** The step: database, storage, vectors, backup or identity. */
  readonly step: string;
  /** Grows with every command of any saga for this slug; a reply bears its command's. */
  readonly fence: number;
  /** 1 for the first try of this step. */
  readonly attempt: number;
  /** How long the work may take once it was begun, in ms. */
  readonly workMs: number;
  /** ISO 8601: a command that was not begun by then is not begun any more. */
  readonly expiresAt: string;
  readonly name: string;
  /** compensate, second-look or sweep */
  readonly purpose: string;
  /** Why, for logs and receipts. */
  readonly reason: string;
}

export interface Resource {
  readonly kind: string;
  readonly name: string;
}

export interface CallTiming {
  readonly name: string;
  readonly durationMs: number;
}

/** A worker did its step. */
export interface StepCompleted {
  /** The saga that speaks or is spoken to. */
  readonly sagaId: string;
  /** Owner of everything the tenant has; never changes. */
  readonly tenantId: string;
  /** The tenant's name in the names of its resources. */
  readonly slug: string;
  /** The step: database, storage, vectors, backup or identity. */
  readonly step: string;
  /** Grows with every command of any saga for this slug; a reply bears its command's. */
  readonly fence: number;
  /** 1 for the first try of this step. */
  readonly attempt: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  /** Facts that later steps and readers need; never a secret. */
  readonly outputs: { readonly [key: string]: string };
  /** What the tenant has of this step now. */
  readonly resources: readonly Resource[];
  /** How long the work took, in ms. */
  readonly durationMs: number;
  /** How long each call inside the step took. */
  readonly calls: readonly CallTiming[];
}

/** A worker could not do its step. */
export interface StepFailed {
  /** The saga that speaks or is spoken to. */
  readonly sagaId: string;
  /** Owner of everything the tenant has; never changes. */
  readonly tenantId: string;
  /** The tenant's name in the names of its resources. */
  readonly slug: string;
  /** The step: database, storage, vectors, backup or identity. */
  readonly step: string;
  /** Grows with every command of any saga for this slug; a reply bears its command's. */
  readonly fence: number;
  /** 1 for the first try of this step. */
  readonly attempt: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  /** True when no retry can help. */
  readonly permanent: boolean;
  readonly code: string;
  /** At most 4 KiB. */
  readonly message: string;
  /** For the pivot: refused (nothing was done), not-asked (no intent was made) or unknown. */
  readonly pivot: string;
}

export interface ReceiptLine {
  readonly kind: string;
  readonly name: string;
  /** removed, absent, foreign (another owner's, left alone) or not-asked (never asked for; its service does not answer) */
  readonly outcome: string;
}

/** A worker undid its step; the receipt says what it removed and what it looked for and did not find. */
export interface StepCompensated {
  /** The saga that speaks or is spoken to. */
  readonly sagaId: string;
  /** Owner of everything the tenant has; never changes. */
  readonly tenantId: string;
  /** The tenant's name in the names of its resources. */
  readonly slug: string;
  /** The step: database, storage, vectors, backup or identity. */
  readonly step: string;
  /** Grows with every command of any saga for this slug; a reply bears its command's. */
  readonly fence: number;
  /** 1 for the first try of this step. */
  readonly attempt: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  /** One line a resource. */
  readonly receipt: readonly ReceiptLine[];
  readonly durationMs: number;
}

/** A worker could not undo its step. */
export interface StepCompensationFailed {
  /** The saga that speaks or is spoken to. */
  readonly sagaId: string;
  /** Owner of everything the tenant has; never changes. */
  readonly tenantId: string;
  /** The tenant's name in the names of its resources. */
  readonly slug: string;
  /** The step: database, storage, vectors, backup or identity. */
  readonly step: string;
  /** Grows with every command of any saga for this slug; a reply bears its command's. */
  readonly fence: number;
  /** 1 for the first try of this step. */
  readonly attempt: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  /** True when no retry can help. */
  readonly permanent: boolean;
  readonly code: string;
  /** At most 4 KiB. */
  readonly message: string;
}

/** A worker says where it is in a step that takes longer. */
export interface StepProgressed {
  /** The saga that speaks or is spoken to. */
  readonly sagaId: string;
  /** Owner of everything the tenant has; never changes. */
  readonly tenantId: string;
  /** The tenant's name in the names of its resources. */
  readonly slug: string;
  /** The step: database, storage, vectors, backup or identity. */
  readonly step: string;
  /** Grows with every command of any saga for this slug; a reply bears its command's. */
  readonly fence: number;
  /** 1 for the first try of this step. */
  readonly attempt: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  /** started, or what is being done now */
  readonly progress: string;
  readonly message: string;
}

export interface Limits {
  readonly storageBytes: number;
  readonly users: number;
  readonly apiCallsPerDay: number;
}

/** A tenant is ready: whole, proven, credentials released. */
export interface TenantProvisioned {
  readonly tenantId: string;
  /** Empty where the name gave none. */
  readonly slug: string;
  readonly name: string;
  /** Only grows: a reader drops lower ones. */
  readonly revision: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  readonly sagaId: string;
  readonly requestId: string;
  /** ce_source of the request. */
  readonly source: string;
  readonly tier: string;
  /** What the tier allows. */
  readonly limits: Limits;
  readonly storageType: string;
  /** Where the tenant's parts are: names and addresses, never a secret. */
  readonly resources: { readonly [key: string]: string };
}

/** A request was refused, or its tenant was rolled back. */
export interface TenantProvisioningFailed {
  readonly tenantId: string;
  /** Empty where the name gave none. */
  readonly slug: string;
  readonly name: string;
  /** Only grows: a reader drops lower ones. */
  readonly revision: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  /** Null where no saga began. */
  readonly sagaId: null | string;
  readonly requestId: string;
  /** ce_source of the request. */
  readonly source: string;
  readonly code: string;
  readonly message: string;
  /** The step that failed; null where the request was refused. */
  readonly step: null | string;
}

/** The latest state of a tenant. */
export interface TenantState {
  readonly tenantId: string;
  /** Empty where the name gave none. */
  readonly slug: string;
  readonly name: string;
  /** Only grows: a reader drops lower ones. */
  readonly revision: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  /** provisioning, ready, compensating, rolled-back or stuck */
  readonly state: string;
  readonly tier: string;
  /** What the tier allows. */
  readonly limits: Limits;
  readonly storageType: string;
  readonly resources: { readonly [key: string]: string };
}
