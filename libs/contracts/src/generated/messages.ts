// Generated from src/schemas/*.avsc by `npm run generate`; do not edit.

export interface StorageRequest {
  /** deeplens, byos or none */
  readonly type: string;
  /** byos only: aws_s3, azure_blob or gcs */
  readonly provider: null | string;
  /** byos only: where the credentials were dropped off; never the credentials */
  readonly credentialRef: null | string;
  /** byos only: the bucket; for azure_blob the container */
  readonly bucket: null | string;
  /** byos only: where the service is, unless it is the provider's own */
  readonly endpoint: null | string;
  /** byos on aws_s3 only */
  readonly region: null | string;
  /** byos only: the folder of the bucket that is the tenant's; all of it unless told */
  readonly prefix: null | string;
  /** byos on aws_s3 only: the bucket is named in the path, not in the host */
  readonly pathStyle: null | boolean;
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

/** An upstream service asks for the removal of a tenant. */
export interface TenantRemovalRequested {
  /** Unique for each source; the same request again gets the same answer. */
  readonly requestId: string;
  /** The tenant meant: where another has the slug by now, the request is refused. */
  readonly tenantId: string;
  /** Its name in the names of its resources. */
  readonly slug: string;
  readonly reason: string;
  /** How long it can be restored, in ms; null: as the installation has it. 0: purged at once. */
  readonly graceMs: null | number;
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
  /** byos only: the tenant's own storage, as the request named it. */
  readonly storage: null | StorageRequest;
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

/** The orchestrator commands a worker to act on its part of a tenant that was made: suspend it, purge it, back it up, and whatever else comes. */
export interface TenantOperationRequested {
  /** The saga that speaks or is spoken to. */
  readonly sagaId: string;
  /** Owner of everything the tenant has; never changes. */
  readonly tenantId: string;
  /** The tenant's name in the names of its resources. */
  readonly slug: string;
  /** The step of the saga's table; the reply bears it. The topic says which part it is. */
  readonly step: string;
  /** Grows with every command of any saga for this slug; a reply bears its command's. */
  readonly fence: number;
  /** 1 for the first try of this step. */
  readonly attempt: number;
  /** How long the work may take once it was begun, in ms. */
  readonly workMs: number;
  /** ISO 8601: a command that was not begun by then is not begun any more. */
  readonly expiresAt: string;
  /** suspend, resume, purge, backup-now, ...: a worker that does not know it says operation-unknown. */
  readonly operation: string;
  /** What the operation was told; never a secret. */
  readonly parameters: { readonly [key: string]: string };
  /** What the tenant's parts put out when they were made, and completed steps of this saga, as <step>.<name>. */
  readonly inputs: { readonly [key: string]: string };
  readonly name: string;
  readonly tier: string;
  readonly storageType: string;
}

export interface Resource {
  readonly kind: string;
  readonly name: string;
}

export interface CallTiming {
  readonly name: string;
  readonly durationMs: number;
}

export interface ReceiptLine {
  readonly kind: string;
  readonly name: string;
  /** removed, absent, foreign (another owner's, left alone), not-asked (never asked for; its service does not answer), kept (stays: its service has no delete), or what an operation proved */
  readonly outcome: string;
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
  /** What an operation did, found or proved; one line a resource. */
  readonly receipt: readonly ReceiptLine[];
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

/** Every way in is closed with the tenant's own credentials; nothing of it is lost. Identity has no call for it: this event tells it. */
export interface TenantSuspended {
  readonly tenantId: string;
  /** Empty where the name gave none. */
  readonly slug: string;
  readonly name: string;
  /** Only grows: a reader drops lower ones. */
  readonly revision: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  readonly sagaId: string;
  /** Why, in the words of who asked. */
  readonly reason: string;
}

/** A suspended tenant is open again. */
export interface TenantResumed {
  readonly tenantId: string;
  /** Empty where the name gave none. */
  readonly slug: string;
  readonly name: string;
  /** Only grows: a reader drops lower ones. */
  readonly revision: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  readonly sagaId: string;
  /** Why, in the words of who asked. */
  readonly reason: string;
}

/** A tenant's own storage is opened by other credentials from now on; those before are forgotten here. */
export interface TenantCredentialsReplaced {
  readonly tenantId: string;
  /** Empty where the name gave none. */
  readonly slug: string;
  readonly name: string;
  /** Only grows: a reader drops lower ones. */
  readonly revision: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  readonly sagaId: string;
  /** Why, in the words of who asked. */
  readonly reason: string;
}

/** What the tenant had lost with one of the services was made again, empty: its data come from a backup. */
export interface TenantRepaired {
  readonly tenantId: string;
  /** Empty where the name gave none. */
  readonly slug: string;
  readonly name: string;
  /** Only grows: a reader drops lower ones. */
  readonly revision: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  readonly sagaId: string;
  /** Why, in the words of who asked. */
  readonly reason: string;
}

/** A tenant is being removed: it is suspended and backed up now, and kept until the purge. */
export interface TenantRemovalStarted {
  readonly tenantId: string;
  /** Empty where the name gave none. */
  readonly slug: string;
  readonly name: string;
  /** Only grows: a reader drops lower ones. */
  readonly revision: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  readonly sagaId: string;
  /** The request's id; of an operator's act the inbox row's. */
  readonly requestId: string;
  /** ce_source of the request. */
  readonly source: string;
  /** Why, in the words of who asked. */
  readonly reason: string;
  /** ISO 8601: until then it can be restored. */
  readonly purgeAt: string;
}

/** The removal was taken back inside its grace period: the whole tenant, with the same id, names and data; its credentials are new. */
export interface TenantRestored {
  readonly tenantId: string;
  /** Empty where the name gave none. */
  readonly slug: string;
  readonly name: string;
  /** Only grows: a reader drops lower ones. */
  readonly revision: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  readonly sagaId: string;
  /** Why, in the words of who asked. */
  readonly reason: string;
}

/** Nothing of the tenant is left but its record in Identity, which has no delete. */
export interface TenantRemoved {
  readonly tenantId: string;
  /** Empty where the name gave none. */
  readonly slug: string;
  readonly name: string;
  /** Only grows: a reader drops lower ones. */
  readonly revision: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  readonly sagaId: string;
  /** The request's id; of an operator's act the inbox row's. */
  readonly requestId: string;
  /** ce_source of the request. */
  readonly source: string;
  /** ISO 8601: the name is not given to another tenant before. */
  readonly slugHeldUntil: string;
}

/** A request for a removal was refused, and nothing was touched. */
export interface TenantRemovalRefused {
  /** As the request named it. */
  readonly tenantId: string;
  /** As the request named it. */
  readonly slug: string;
  /** Only grows: a reader drops lower ones. */
  readonly revision: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  /** The request's id; of an operator's act the inbox row's. */
  readonly requestId: string;
  /** ce_source of the request. */
  readonly source: string;
  readonly code: string;
  readonly message: string;
}

/** A tenant has another tier; its parts are limited by it. */
export interface TenantTierChanged {
  readonly tenantId: string;
  /** Empty where the name gave none. */
  readonly slug: string;
  readonly name: string;
  /** Only grows: a reader drops lower ones. */
  readonly revision: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  readonly sagaId: string;
  readonly tier: string;
  /** Given again by the same act: the way back. */
  readonly tierBefore: string;
  /** What the tier allows. */
  readonly limits: Limits;
  /** Why, in the words of who asked. */
  readonly reason: string;
}

/** A tenant's database was moved to a newer version of the template. */
export interface TenantMigrated {
  readonly tenantId: string;
  /** Empty where the name gave none. */
  readonly slug: string;
  readonly name: string;
  /** Only grows: a reader drops lower ones. */
  readonly revision: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  readonly sagaId: string;
  /** The number of its newest migration: 0002. */
  readonly templateVersion: string;
  readonly templateBefore: string;
  /** Why, in the words of who asked. */
  readonly reason: string;
}

/** A tenant has new credentials, proven beside the old ones (`began`); the old ones are ended (`ended`), or the new ones were taken back before that (`taken-back`). No credential is in it: they are asked for. */
export interface TenantCredentialsRotated {
  readonly tenantId: string;
  /** Empty where the name gave none. */
  readonly slug: string;
  readonly name: string;
  /** Only grows: a reader drops lower ones. */
  readonly revision: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  readonly sagaId: string;
  /** `began`, `ended` or `taken-back`; a later `began` of the same saga moves the end. */
  readonly phase: string;
  /** Those of what: `database`, `storage`, `vectors`. */
  readonly parts: readonly string[];
  /** `began`: until then the old ones are good too. ISO 8601 */
  readonly oldUntil: null | string;
  /** Why, in the words of who asked. */
  readonly reason: string;
}

export interface IllPart {
  /** database, storage, vectors, backup or identity */
  readonly part: string;
  /** For programs: redis-unreachable, vectors-drift. */
  readonly code: string;
  /** For people. */
  readonly reason: string;
}

/** A tenant that is ready does not work as it should: some of its parts do not answer to its own credentials, or are not what they should be. Sent again when that set changes. */
export interface TenantDegraded {
  readonly tenantId: string;
  /** Empty where the name gave none. */
  readonly slug: string;
  readonly name: string;
  /** Only grows: a reader drops lower ones. */
  readonly revision: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  /** All of it in one line. */
  readonly reason: string;
  readonly parts: readonly IllPart[];
}

/** Every part of a tenant that was degraded works again. */
export interface TenantRecovered {
  readonly tenantId: string;
  /** Empty where the name gave none. */
  readonly slug: string;
  readonly name: string;
  /** Only grows: a reader drops lower ones. */
  readonly revision: number;
  /** ISO 8601 */
  readonly occurredAt: string;
  /** ISO 8601 */
  readonly degradedSince: string;
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
  /** provisioning, ready, compensating, rolled-back, stuck, suspended, removing or removed */
  readonly state: string;
  readonly tier: string;
  /** What the tier allows. */
  readonly limits: Limits;
  readonly storageType: string;
  readonly resources: { readonly [key: string]: string };
  /** Why a tenant that is ready does not work as it should; null where it does. */
  readonly degraded: null | string;
}
