// Written by `npm run generate` from docs/openapi.json: change the schemas of the API instead.

export interface Operations {
  /** Tenants, newest first */
  "GET /v1/tenants": {
    path: Record<never, never>;
    query: { state?: string; text?: string; since?: string; until?: string; cursor?: string; limit?: number };
    body: undefined;
    answer: {
      readonly items: readonly ({
        readonly tenantId: string;
        readonly slug: string;
        readonly name: string;
        /** provisioning, ready, compensating, rolled-back, stuck, suspended, removing or removed */
        readonly state: string;
        readonly revision: number;
        readonly tier: string;
        readonly limits: {
          readonly storageBytes: number;
          readonly users: number;
          readonly apiCallsPerDay: number;
        } | null;
        readonly storageType: string;
        readonly resources: Readonly<Record<string, string>>;
        /** why a ready tenant does not work as it should */
        readonly degraded: {
          /** ISO 8601, UTC */
          readonly since: string;
          readonly reason: string;
        } | null;
        /** the latest saga of this tenant */
        readonly sagaId: string | null;
        /** the act that changes it now */
        readonly running: {
          readonly sagaId: string;
          readonly kind: string;
        } | null;
        readonly suspended: {
          /** ISO 8601, UTC */
          readonly since: string;
          readonly reason: string;
        } | null;
        /** while old and new credentials are good together */
        readonly rotation: {
          readonly sagaId: string;
          readonly parts: readonly string[];
          /** then the old credentials end */
          readonly oldUntil: string;
        } | null;
        readonly removal: {
          readonly sagaId: string;
          /** until then it can be restored */
          readonly purgeAt: string;
          /** when its name is free again; null while it is not removed */
          readonly slugHeldUntil: string | null;
        } | null;
        /** what the last restore replaced, while it is kept */
        readonly replaced: {
          readonly sagaId: string;
          readonly backup: string;
          readonly parts: "all" | "database" | "vectors";
          /** the backup of what was live before */
          readonly safetyBackup: string;
          /** ISO 8601, UTC */
          readonly at: string;
          /** until then restore-back switches back to it */
          readonly until: string;
        } | null;
        /** ISO 8601, UTC */
        readonly createdAt: string;
        /** ISO 8601, UTC */
        readonly updatedAt: string;
      })[];
      /** the cursor of the next page; null on the last */
      readonly next: string | null;
    };
  };
  /** Request a tenant */
  "POST /v1/tenants": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: {
      /** the tenant's name; its slug is made from it */
      readonly name: string;
      /** free, professional or enterprise */
      readonly tier: string;
      readonly storage: {
        /** deeplens, none, or byos: the tenant's own, described by what follows */
        readonly type: string;
        /** aws_s3, azure_blob or gcs */
        readonly provider?: string | null;
        /** the bucket; for azure_blob the container */
        readonly bucket?: string | null;
        /** where the service is, unless it is the provider's own */
        readonly endpoint?: string | null;
        /** aws_s3 only */
        readonly region?: string | null;
        /** the folder of the bucket that is the tenant's */
        readonly prefix?: string | null;
        /** aws_s3 only: the bucket is named in the path */
        readonly pathStyle?: boolean | null;
        readonly credentialRef?: string | null;
      };
      /** the tenant's first administrator */
      readonly administrator: {
        readonly email: string;
        readonly firstName: string;
        readonly lastName: string;
      };
    };
    answer: {
      readonly tenantId: string;
      readonly slug: string;
      /** null while the request waits in the inbox */
      readonly sagaId: string | null;
      readonly status: string;
      /** true when this request had been made before */
      readonly repeated: boolean;
      /** GET /v1/inbox/{id} says what became of the request */
      readonly inboxId: number;
    };
  };
  /** One tenant, by slug or id */
  "GET /v1/tenants/{tenant}": {
    path: { tenant: string };
    query: Record<never, never>;
    body: undefined;
    answer: {
      readonly tenantId: string;
      readonly slug: string;
      readonly name: string;
      /** provisioning, ready, compensating, rolled-back, stuck, suspended, removing or removed */
      readonly state: string;
      readonly revision: number;
      readonly tier: string;
      readonly limits: {
        readonly storageBytes: number;
        readonly users: number;
        readonly apiCallsPerDay: number;
      } | null;
      readonly storageType: string;
      readonly resources: Readonly<Record<string, string>>;
      /** why a ready tenant does not work as it should */
      readonly degraded: {
        /** ISO 8601, UTC */
        readonly since: string;
        readonly reason: string;
      } | null;
      /** the latest saga of this tenant */
      readonly sagaId: string | null;
      /** the act that changes it now */
      readonly running: {
        readonly sagaId: string;
        readonly kind: string;
      } | null;
      readonly suspended: {
        /** ISO 8601, UTC */
        readonly since: string;
        readonly reason: string;
      } | null;
      /** while old and new credentials are good together */
      readonly rotation: {
        readonly sagaId: string;
        readonly parts: readonly string[];
        /** then the old credentials end */
        readonly oldUntil: string;
      } | null;
      readonly removal: {
        readonly sagaId: string;
        /** until then it can be restored */
        readonly purgeAt: string;
        /** when its name is free again; null while it is not removed */
        readonly slugHeldUntil: string | null;
      } | null;
      /** what the last restore replaced, while it is kept */
      readonly replaced: {
        readonly sagaId: string;
        readonly backup: string;
        readonly parts: "all" | "database" | "vectors";
        /** the backup of what was live before */
        readonly safetyBackup: string;
        /** ISO 8601, UTC */
        readonly at: string;
        /** until then restore-back switches back to it */
        readonly until: string;
      } | null;
      /** ISO 8601, UTC */
      readonly createdAt: string;
      /** ISO 8601, UTC */
      readonly updatedAt: string;
    };
  };
  /** Show a ready tenant's credentials; who asked, and why, is recorded first */
  "POST /v1/tenants/{tenant}/credentials/reveal": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      readonly reason: string;
    };
    answer: {
      readonly tenantId: string;
      readonly slug: string;
      readonly name: string;
      readonly resources: Readonly<Record<string, string>>;
      /** by what each is for */
      readonly secrets: Readonly<Record<string, string>>;
    };
  };
  /** Drop credentials off for a tenant's own storage; they are encrypted at once and never shown again */
  "POST /v1/secrets": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: {
      /** as their vendor gives them: {accessKeyId, secretAccessKey, sessionToken?}, {accountName, accountKey}, {accountName, sasToken}, {connectionString}, or a Google service account's key file */
      readonly credentials: Readonly<Record<string, unknown>>;
    };
    answer: {
      /** for a request's storage.credentialRef; one tenant can use it */
      readonly reference: string;
      readonly provider: string;
      /** then it is forgotten, unless a tenant uses it */
      readonly expiresAt: string;
    };
  };
  /** Sagas, newest first */
  "GET /v1/sagas": {
    path: Record<never, never>;
    query: { status?: string; step?: string; code?: string; failed?: "true"; slug?: string; tenant?: string; kind?: string; since?: string; until?: string; text?: string; cursor?: string; limit?: number };
    body: undefined;
    answer: {
      readonly items: readonly ({
        readonly sagaId: string;
        readonly tenantId: string;
        readonly slug: string;
        readonly kind: string;
        /** running, compensating, waiting, stuck, ready, done, undone, rolled-back, removed or closed */
        readonly status: string;
        /** why it was rolled back, or is stuck */
        readonly error: {
          readonly step: string | null;
          readonly code: string;
          readonly message: string;
        } | null;
        /** ISO 8601, UTC */
        readonly createdAt: string;
        /** ISO 8601, UTC */
        readonly updatedAt: string;
        readonly finishedAt: string | null;
      })[];
      /** the cursor of the next page; null on the last */
      readonly next: string | null;
    };
  };
  /** One saga: its steps, and what it waits for */
  "GET /v1/sagas/{sagaId}": {
    path: { sagaId: string };
    query: Record<never, never>;
    body: undefined;
    answer: {
      readonly sagaId: string;
      readonly tenantId: string;
      readonly slug: string;
      readonly kind: string;
      /** running, compensating, waiting, stuck, ready, done, undone, rolled-back, removed or closed */
      readonly status: string;
      /** why it was rolled back, or is stuck */
      readonly error: {
        readonly step: string | null;
        readonly code: string;
        readonly message: string;
      } | null;
      /** ISO 8601, UTC */
      readonly createdAt: string;
      /** ISO 8601, UTC */
      readonly updatedAt: string;
      readonly finishedAt: string | null;
      readonly name: string;
      readonly requestId: string;
      readonly source: string;
      readonly machineVersion: number;
      readonly version: number;
      readonly course: string;
      readonly steps: readonly ({
        readonly step: string;
        /** the machine's word for where the step is */
        readonly state: string;
        /** the same in fewer words */
        readonly phase: "waiting" | "working" | "retrying" | "done" | "failed" | "undoing" | "undone" | "untouched" | "skipped";
        /** tries up to now of what it is at: its work, its undo, the last look */
        readonly attempts: number;
        /** with so many tries it has failed for good */
        readonly attemptsAtMost: number;
        /** when it is tried again; null while it waits for no next try */
        readonly nextTryAt: string | null;
        readonly fence: number;
        readonly commandedAt: string | null;
        readonly startedAt: string | null;
        readonly finishedAt: string | null;
        readonly durationMs: number | null;
        /** what the worker said last of what it does */
        readonly progress: string | null;
        readonly error: {
          readonly code: string;
          readonly message: string;
        } | null;
        readonly resources: readonly ({
          readonly kind: string;
          readonly name: string;
        })[];
        /** what undoing it, or an operation, removed, looked for and proved */
        readonly receipt: readonly ({
          readonly kind: string;
          readonly name: string;
          /** removed, absent, foreign, not-asked, kept, or what an operation proved */
          readonly outcome: string;
        })[];
      })[];
      /** what the saga waits for, and until when */
      readonly waitingFor: readonly ({
        readonly timer: string;
        readonly step: string | null;
        readonly what: string;
        /** ISO 8601, UTC */
        readonly until: string;
      })[];
    };
  };
  /** The statechart of a saga, read from the machine that runs it, with the way that this one took */
  "GET /v1/sagas/{sagaId}/machine": {
    path: { sagaId: string };
    query: Record<never, never>;
    body: undefined;
    answer: {
      readonly kind: string;
      readonly version: number;
      readonly regions: readonly ({
        /** a step, or `course` for the saga as a whole */
        readonly region: string;
        /** the steps that must be done before it */
        readonly after: readonly string[];
        readonly initial: string;
        readonly current: string;
        readonly nodes: readonly ({
          readonly state: string;
          /** how often this saga came into it */
          readonly visited: number;
          readonly current: boolean;
        })[];
        readonly edges: readonly ({
          readonly from: string;
          readonly to: string;
          /** null: at once, when its condition holds */
          readonly event: string | null;
          readonly taken: number;
        })[];
        readonly path: readonly ({
          readonly from: string | null;
          readonly to: string;
          readonly at: string;
          readonly history: number;
          readonly event: string;
        })[];
      })[];
      /** false: the history was longer than what was read */
      readonly complete: boolean;
    };
  };
  /** Every event of a saga, oldest first */
  "GET /v1/sagas/{sagaId}/history": {
    path: { sagaId: string };
    query: { after?: number; limit?: number };
    body: undefined;
    answer: {
      readonly items: readonly ({
        readonly id: number;
        /** ISO 8601, UTC */
        readonly at: string;
        readonly event: string;
        readonly step: string | null;
        readonly fence: number | null;
        readonly body: Readonly<Record<string, unknown>>;
      })[];
      /** the `after` of the next page; null on the last */
      readonly next: number | null;
    };
  };
  /** Follow a saga by server-sent events */
  "GET /v1/sagas/{sagaId}/events": {
    path: { sagaId: string };
    query: Record<never, never>;
    body: undefined;
    answer: undefined;
  };
  /** Is anything wrong? Counts of everything that an operator looks after */
  "GET /v1/overview": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: {
      readonly at: string;
      /** by state */
      readonly tenants: {
        readonly provisioning: number;
        readonly ready: number;
        readonly compensating: number;
        readonly "rolled-back": number;
        readonly stuck: number;
        readonly suspended: number;
        readonly removing: number;
        readonly removed: number;
      };
      /** ready tenants of which a part does not work as it should */
      readonly degraded: number;
      /** by status */
      readonly sagas: {
        readonly running: number;
        readonly compensating: number;
        readonly waiting: number;
        readonly stuck: number;
        readonly ready: number;
        readonly done: number;
        readonly undone: number;
        readonly "rolled-back": number;
        readonly removed: number;
        readonly closed: number;
      };
      /** the failures that wait for somebody, most first */
      readonly groups: readonly ({
        /** null: no step of the saga, an operator's abort */
        readonly step: string | null;
        readonly code: string;
        readonly count: number;
        /** how many of them stand where */
        readonly statuses: Readonly<Record<string, number>>;
        readonly kinds: readonly string[];
        /** when the one that has waited longest failed */
        readonly oldestAt: string;
        readonly newestAt: string;
        /** the message of the newest */
        readonly example: string;
      })[];
      readonly debts: number;
      readonly workers: readonly ({
        readonly step: string;
        /** processes that take its commands */
        readonly alive: number;
        /** commands not finished yet; null where Kafka does not say */
        readonly lag: number | null;
        readonly versions: readonly string[];
      })[];
      /** topics that hold any; null where Kafka does not say */
      readonly deadLetters: readonly ({
        readonly topic: string;
        readonly count: number;
      })[] | null;
      readonly backups: {
        /** tenants whose newest backup is older than a day, or that have none */
        readonly overdue: number;
        readonly tenants: readonly ({
          readonly slug: string;
          readonly lastBackupAt: string | null;
        })[];
      };
      readonly stoppedPartitions: number;
    };
  };
  /** Sagas that failed and that nobody has put right, by their cause; each group's sagas: /v1/sagas?failed=true&step=&code= */
  "GET /v1/groups": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: {
      readonly items: readonly ({
        /** null: no step of the saga, an operator's abort */
        readonly step: string | null;
        readonly code: string;
        readonly count: number;
        /** how many of them stand where */
        readonly statuses: Readonly<Record<string, number>>;
        readonly kinds: readonly string[];
        /** when the one that has waited longest failed */
        readonly oldestAt: string;
        readonly newestAt: string;
        /** the message of the newest */
        readonly example: string;
      })[];
    };
  };
  /** Undos that failed for good: what is left where, and what to do */
  "GET /v1/debts": {
    path: Record<never, never>;
    query: { cursor?: string; limit?: number };
    body: undefined;
    answer: {
      readonly items: readonly ({
        readonly sagaId: string;
        readonly tenantId: string;
        readonly slug: string;
        readonly kind: string;
        readonly step: string;
        /** whose worker could not undo it */
        readonly part: string;
        /** undoFailed or lookFailed */
        readonly state: string;
        readonly code: string;
        readonly message: string;
        readonly since: string;
        readonly attempts: number;
        /** what the ledger says is there, or may be */
        readonly left: readonly ({
          readonly kind: string;
          readonly name: string;
          readonly state: string;
        })[];
        /** what to do by hand, each a step */
        readonly manual: readonly string[];
      })[];
      /** the cursor of the next page; null on the last */
      readonly next: string | null;
    };
  };
  /** Who did what, when, why, from where, and what came of it; newest first */
  "GET /v1/audit": {
    path: Record<never, never>;
    query: { actor?: string; action?: string; subject?: string; since?: string; cursor?: string; limit?: number };
    body: undefined;
    answer: {
      readonly items: readonly ({
        readonly id: number;
        readonly at: string;
        readonly actor: string;
        readonly action: string;
        readonly subject: string;
        readonly reason: string | null;
        /** the address that it was asked from */
        readonly origin: string | null;
        readonly outcome: string;
      })[];
      /** the cursor of the next page; null on the last */
      readonly next: string | null;
    };
  };
  /** Run the failed step (or every failed one) again */
  "POST /v1/sagas/{sagaId}/retry": {
    path: { sagaId: string };
    query: Record<never, never>;
    body: {
      readonly reason: string;
      /** retry only: this step and no other */
      readonly step?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly sagaId: string;
      readonly tenantId: string;
      /** the saga's, after the act; `waiting` while it was not applied */
      readonly status: string;
    };
  };
  /** Go on from where it stopped */
  "POST /v1/sagas/{sagaId}/resume": {
    path: { sagaId: string };
    query: Record<never, never>;
    body: {
      readonly reason: string;
      /** retry only: this step and no other */
      readonly step?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly sagaId: string;
      readonly tenantId: string;
      /** the saga's, after the act; `waiting` while it was not applied */
      readonly status: string;
    };
  };
  /** Undo everything that was commanded */
  "POST /v1/sagas/{sagaId}/abort": {
    path: { sagaId: string };
    query: Record<never, never>;
    body: {
      readonly reason: string;
      /** retry only: this step and no other */
      readonly step?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly sagaId: string;
      readonly tenantId: string;
      /** the saga's, after the act; `waiting` while it was not applied */
      readonly status: string;
    };
  };
  /** Close every way into a tenant */
  "POST /v1/tenants/{tenant}/suspend": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      /** the tenant meant: where another has the name by now, the act is refused */
      readonly tenantId: string;
      readonly reason: string;
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly slug: string;
      readonly tenantId: string;
      /** null while the act waits in the inbox */
      readonly sagaId: string | null;
      /** the saga's; or the tenant's, where it was so already */
      readonly status: string;
      /** true when it was so, or becomes so, already */
      readonly repeated: boolean;
    };
  };
  /** Open a suspended tenant again */
  "POST /v1/tenants/{tenant}/resume": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      /** the tenant meant: where another has the name by now, the act is refused */
      readonly tenantId: string;
      readonly reason: string;
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly slug: string;
      readonly tenantId: string;
      /** null while the act waits in the inbox */
      readonly sagaId: string | null;
      /** the saga's; or the tenant's, where it was so already */
      readonly status: string;
      /** true when it was so, or becomes so, already */
      readonly repeated: boolean;
    };
  };
  /** Remove a tenant: suspend, last backup, grace period, purge */
  "POST /v1/tenants/{tenant}/remove": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      /** the tenant meant: where another has the name by now, the act is refused */
      readonly tenantId: string;
      readonly reason: string;
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly slug: string;
      readonly tenantId: string;
      /** null while the act waits in the inbox */
      readonly sagaId: string | null;
      /** the saga's; or the tenant's, where it was so already */
      readonly status: string;
      /** true when it was so, or becomes so, already */
      readonly repeated: boolean;
    };
  };
  /** Take a removal back, inside its grace period */
  "POST /v1/tenants/{tenant}/restore": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      /** the tenant meant: where another has the name by now, the act is refused */
      readonly tenantId: string;
      readonly reason: string;
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly slug: string;
      readonly tenantId: string;
      /** null while the act waits in the inbox */
      readonly sagaId: string | null;
      /** the saga's; or the tenant's, where it was so already */
      readonly status: string;
      /** true when it was so, or becomes so, already */
      readonly repeated: boolean;
    };
  };
  /** End the grace period of a removal now */
  "POST /v1/tenants/{tenant}/purge": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      /** the tenant meant: where another has the name by now, the act is refused */
      readonly tenantId: string;
      readonly reason: string;
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly slug: string;
      readonly tenantId: string;
      /** null while the act waits in the inbox */
      readonly sagaId: string | null;
      /** the saga's; or the tenant's, where it was so already */
      readonly status: string;
      /** true when it was so, or becomes so, already */
      readonly repeated: boolean;
    };
  };
  /** Move the end of a removal's grace period: so long after its beginning */
  "POST /v1/tenants/{tenant}/grace": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      /** the tenant meant: where another has the name by now, the act is refused */
      readonly tenantId: string;
      readonly reason: string;
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly slug: string;
      readonly tenantId: string;
      /** null while the act waits in the inbox */
      readonly sagaId: string | null;
      /** the saga's; or the tenant's, where it was so already */
      readonly status: string;
      /** true when it was so, or becomes so, already */
      readonly repeated: boolean;
    };
  };
  /** Take a backup of a tenant, and read it back */
  "POST /v1/tenants/{tenant}/backup": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      /** the tenant meant: where another has the name by now, the act is refused */
      readonly tenantId: string;
      readonly reason: string;
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly slug: string;
      readonly tenantId: string;
      /** null while the act waits in the inbox */
      readonly sagaId: string | null;
      /** the saga's; or the tenant's, where it was so already */
      readonly status: string;
      /** true when it was so, or becomes so, already */
      readonly repeated: boolean;
    };
  };
  /** Restore a tenant's newest backup for a trial, compare, and leave nothing of it */
  "POST /v1/tenants/{tenant}/drill": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      /** the tenant meant: where another has the name by now, the act is refused */
      readonly tenantId: string;
      readonly reason: string;
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly slug: string;
      readonly tenantId: string;
      /** null while the act waits in the inbox */
      readonly sagaId: string | null;
      /** the saga's; or the tenant's, where it was so already */
      readonly status: string;
      /** true when it was so, or becomes so, already */
      readonly repeated: boolean;
    };
  };
  /** List a tenant's backups: they are in the receipt of the saga */
  "POST /v1/tenants/{tenant}/backups": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      /** the tenant meant: where another has the name by now, the act is refused */
      readonly tenantId: string;
      readonly reason: string;
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly slug: string;
      readonly tenantId: string;
      /** null while the act waits in the inbox */
      readonly sagaId: string | null;
      /** the saga's; or the tenant's, where it was so already */
      readonly status: string;
      /** true when it was so, or becomes so, already */
      readonly repeated: boolean;
    };
  };
  /** Make a tenant what one of its backups holds */
  "POST /v1/tenants/{tenant}/restore-backup": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      /** the tenant meant: where another has the name by now, the act is refused */
      readonly tenantId: string;
      readonly reason: string;
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly slug: string;
      readonly tenantId: string;
      /** null while the act waits in the inbox */
      readonly sagaId: string | null;
      /** the saga's; or the tenant's, where it was so already */
      readonly status: string;
      /** true when it was so, or becomes so, already */
      readonly repeated: boolean;
    };
  };
  /** Move a tenant's database to the newest version of the template */
  "POST /v1/tenants/{tenant}/migrate": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      /** the tenant meant: where another has the name by now, the act is refused */
      readonly tenantId: string;
      readonly reason: string;
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly slug: string;
      readonly tenantId: string;
      /** null while the act waits in the inbox */
      readonly sagaId: string | null;
      /** the saga's; or the tenant's, where it was so already */
      readonly status: string;
      /** true when it was so, or becomes so, already */
      readonly repeated: boolean;
    };
  };
  /** Give a tenant another tier: its parts are limited by it */
  "POST /v1/tenants/{tenant}/tier": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      /** the tenant meant: where another has the name by now, the act is refused */
      readonly tenantId: string;
      readonly reason: string;
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly slug: string;
      readonly tenantId: string;
      /** null while the act waits in the inbox */
      readonly sagaId: string | null;
      /** the saga's; or the tenant's, where it was so already */
      readonly status: string;
      /** true when it was so, or becomes so, already */
      readonly repeated: boolean;
    };
  };
  /** Make a tenant what it was before its last restore, or before the last such switch */
  "POST /v1/tenants/{tenant}/restore-back": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      /** the tenant meant: where another has the name by now, the act is refused */
      readonly tenantId: string;
      readonly reason: string;
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly slug: string;
      readonly tenantId: string;
      /** null while the act waits in the inbox */
      readonly sagaId: string | null;
      /** the saga's; or the tenant's, where it was so already */
      readonly status: string;
      /** true when it was so, or becomes so, already */
      readonly repeated: boolean;
    };
  };
  /** Drop what the last restore replaced: from then on there is no switching back */
  "POST /v1/tenants/{tenant}/restore-end": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      /** the tenant meant: where another has the name by now, the act is refused */
      readonly tenantId: string;
      readonly reason: string;
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly slug: string;
      readonly tenantId: string;
      /** null while the act waits in the inbox */
      readonly sagaId: string | null;
      /** the saga's; or the tenant's, where it was so already */
      readonly status: string;
      /** true when it was so, or becomes so, already */
      readonly repeated: boolean;
    };
  };
  /** Have a tenant's own storage opened by other credentials, proven before they take the place of those before */
  "POST /v1/tenants/{tenant}/replace-credentials": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      /** the tenant meant: where another has the name by now, the act is refused */
      readonly tenantId: string;
      readonly reason: string;
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly slug: string;
      readonly tenantId: string;
      /** null while the act waits in the inbox */
      readonly sagaId: string | null;
      /** the saga's; or the tenant's, where it was so already */
      readonly status: string;
      /** true when it was so, or becomes so, already */
      readonly repeated: boolean;
    };
  };
  /** Make again what a tenant has lost with one of the services: empty, with the same names and credentials */
  "POST /v1/tenants/{tenant}/repair": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      /** the tenant meant: where another has the name by now, the act is refused */
      readonly tenantId: string;
      readonly reason: string;
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly slug: string;
      readonly tenantId: string;
      /** null while the act waits in the inbox */
      readonly sagaId: string | null;
      /** the saga's; or the tenant's, where it was so already */
      readonly status: string;
      /** true when it was so, or becomes so, already */
      readonly repeated: boolean;
    };
  };
  /** Give a tenant new credentials, beside the old ones for a while */
  "POST /v1/tenants/{tenant}/rotate": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      /** the tenant meant: where another has the name by now, the act is refused */
      readonly tenantId: string;
      readonly reason: string;
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly slug: string;
      readonly tenantId: string;
      /** null while the act waits in the inbox */
      readonly sagaId: string | null;
      /** the saga's; or the tenant's, where it was so already */
      readonly status: string;
      /** true when it was so, or becomes so, already */
      readonly repeated: boolean;
    };
  };
  /** End the old credentials of a rotation now */
  "POST /v1/tenants/{tenant}/end-rotation": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      /** the tenant meant: where another has the name by now, the act is refused */
      readonly tenantId: string;
      readonly reason: string;
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly slug: string;
      readonly tenantId: string;
      /** null while the act waits in the inbox */
      readonly sagaId: string | null;
      /** the saga's; or the tenant's, where it was so already */
      readonly status: string;
      /** true when it was so, or becomes so, already */
      readonly repeated: boolean;
    };
  };
  /** Move the end of the old credentials: so long after the new ones were given */
  "POST /v1/tenants/{tenant}/overlap": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      /** the tenant meant: where another has the name by now, the act is refused */
      readonly tenantId: string;
      readonly reason: string;
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly slug: string;
      readonly tenantId: string;
      /** null while the act waits in the inbox */
      readonly sagaId: string | null;
      /** the saga's; or the tenant's, where it was so already */
      readonly status: string;
      /** true when it was so, or becomes so, already */
      readonly repeated: boolean;
    };
  };
  /** Give the name of a removed tenant on, once the second look has found nothing */
  "POST /v1/tenants/{tenant}/release": {
    path: { tenant: string };
    query: Record<never, never>;
    body: {
      /** the tenant meant: where another has the name by now, the act is refused */
      readonly tenantId: string;
      readonly reason: string;
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly inboxId: number;
      readonly slug: string;
      readonly tenantId: string;
      /** null while the act waits in the inbox */
      readonly sagaId: string | null;
      /** the saga's; or the tenant's, where it was so already */
      readonly status: string;
      /** true when it was so, or becomes so, already */
      readonly repeated: boolean;
    };
  };
  /** The shards: how far their partitions are read, and why one stopped */
  "GET /v1/shards": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: {
      readonly items: readonly ({
        readonly shard: number;
        readonly requests: {
          /** the next offset to be applied; null where none ever was */
          readonly next: number | null;
          /** why its owner reads it no more; null while it does */
          readonly stopped: string | null;
        };
        readonly replies: {
          /** the next offset to be applied; null where none ever was */
          readonly next: number | null;
          /** why its owner reads it no more; null while it does */
          readonly stopped: string | null;
        };
      })[];
    };
  };
  /** Give the position of a stopped partition up, and read it on */
  "POST /v1/shards/{shard}/accept": {
    path: { shard: number };
    query: Record<never, never>;
    body: {
      /** which of the shard's partitions */
      readonly stream: "requests" | "replies";
      /** apply what the log holds (again), or pass over what it held when it stopped */
      readonly from?: "beginning" | "end";
      readonly reason: string;
    };
    answer: {
      readonly inboxId: number;
      readonly shard: number;
      /** which of the shard's partitions */
      readonly stream: "requests" | "replies";
      /** apply what the log holds (again), or pass over what it held when it stopped */
      readonly from: "beginning" | "end";
      /** from where it is read on; null while it waits */
      readonly next: number | null;
    };
  };
  /** The versions of the master key, and how many secrets are under each */
  "GET /v1/keys": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: undefined;
    answer: {
      /** what new secrets are encrypted under */
      readonly current: string;
      readonly versions: readonly ({
        readonly version: string;
        /** false: its line is missing, and these secrets do not open */
        readonly known: boolean;
        readonly secrets: number;
      })[];
    };
  };
  /** Encrypt some of the secrets that are under an older master key under the current one */
  "POST /v1/keys/rewrap": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: {
      readonly reason: string;
      readonly atMost?: number;
    };
    answer: {
      readonly current: string;
      readonly moved: number;
      /** secrets still under an older version */
      readonly left: number;
    };
  };
  /** What was seen of a tenant's parts when they were looked at last */
  "GET /v1/tenants/{tenant}/health": {
    path: { tenant: string };
    query: Record<never, never>;
    body: undefined;
    answer: {
      readonly tenantId: string;
      readonly slug: string;
      readonly state: string;
      readonly status: "well" | "degraded" | "unknown";
      readonly parts: readonly ({
        readonly part: string;
        /** unknown: its worker has not looked */
        readonly status: "well" | "ill" | "unknown";
        readonly checkedAt: string | null;
        /** for how long it has been as it is */
        readonly since: string | null;
        readonly code: string | null;
        readonly reason: string | null;
        /** what was seen of each thing: redis.ok, redis.latencyMs, redis.version */
        readonly facts: Readonly<Record<string, string>>;
      })[];
    };
  };
  /** Look at a tenant's parts now, with its own credentials */
  "POST /v1/tenants/{tenant}/health": {
    path: { tenant: string };
    query: Record<never, never>;
    body: undefined;
    answer: {
      readonly tenantId: string;
      readonly slug: string;
      readonly state: string;
      readonly status: "well" | "degraded" | "unknown";
      readonly parts: readonly ({
        readonly part: string;
        /** unknown: its worker has not looked */
        readonly status: "well" | "ill" | "unknown";
        readonly checkedAt: string | null;
        /** for how long it has been as it is */
        readonly since: string | null;
        readonly code: string | null;
        readonly reason: string | null;
        /** what was seen of each thing: redis.ok, redis.latencyMs, redis.version */
        readonly facts: Readonly<Record<string, string>>;
      })[];
    };
  };
  /** What a request for a tenant would make, or why it would be refused; nothing is written */
  "POST /v1/plans/create": {
    path: Record<never, never>;
    query: Record<never, never>;
    body: {
      /** the tenant's name; its slug is made from it */
      readonly name: string;
      /** free, professional or enterprise */
      readonly tier: string;
      readonly storage: {
        /** deeplens, none, or byos: the tenant's own, described by what follows */
        readonly type: string;
        /** aws_s3, azure_blob or gcs */
        readonly provider?: string | null;
        /** the bucket; for azure_blob the container */
        readonly bucket?: string | null;
        /** where the service is, unless it is the provider's own */
        readonly endpoint?: string | null;
        /** aws_s3 only */
        readonly region?: string | null;
        /** the folder of the bucket that is the tenant's */
        readonly prefix?: string | null;
        /** aws_s3 only: the bucket is named in the path */
        readonly pathStyle?: boolean | null;
        readonly credentialRef?: string | null;
      };
      /** the tenant's first administrator */
      readonly administrator: {
        readonly email: string;
        readonly firstName: string;
        readonly lastName: string;
      };
    };
    answer: {
      readonly act: string;
      /** empty where the name gives none */
      readonly slug: string;
      readonly tenantId: string;
      readonly title: string;
      /** it is so, or becomes so, already: nothing would be begun */
      readonly already: boolean;
      /** why it would be refused, as far as that is known; none: it may begin */
      readonly refusals: readonly ({
        readonly code: string;
        readonly message: string;
      })[];
      /** what would break, or can't be told */
      readonly warnings: readonly ({
        readonly code: string;
        readonly message: string;
      })[];
      /** what would be done, in its order */
      readonly does: readonly string[];
      readonly makes: readonly ({
        readonly part: "database" | "storage" | "vectors" | "backup" | "identity";
        readonly kind: string;
        readonly name: string;
      })[];
      readonly goes: readonly ({
        readonly part: "database" | "storage" | "vectors" | "backup" | "identity";
        readonly kind: string;
        readonly name: string;
      })[];
      /** what the tenant uses now, where the act depends on it */
      readonly use: readonly ({
        readonly thing: string;
        readonly measure: "bytes" | "memory-bytes" | "connections";
        readonly value: number;
        readonly limit: number | null;
      })[];
      /** the steps of the saga that would begin */
      readonly steps: readonly string[];
      /** the command that takes it back; null: nothing does */
      readonly wayBack: string | null;
    };
  };
  /** What an act on a tenant would do, or why it would be refused; nothing is written */
  "POST /v1/tenants/{tenant}/plans/{act}": {
    path: { tenant: string; act: "suspend" | "resume" | "remove" | "restore" | "purge" | "grace" | "release" | "restore-backup" | "restore-back" | "restore-end" | "tier" | "migrate" | "replace-credentials" | "repair" | "rotate" | "end-rotation" | "overlap" };
    query: Record<never, never>;
    body: {
      /** remove and grace: how long after its beginning the removal purges; 0: at once */
      readonly graceMs?: number;
      /** restore-backup: which backup, and which parts of it */
      readonly restore?: {
        readonly backup: string;
        readonly parts?: "all" | "database" | "vectors";
      };
      /** tier: the one to give */
      readonly tier?: "free" | "professional" | "enterprise";
      /** rotate: the credentials of what; of every part where it is left out */
      readonly parts?: readonly ("database" | "storage" | "vectors")[];
      /** rotate and overlap: how long old and new credentials are good together */
      readonly overlapMs?: number;
      /** replace-credentials: where the new ones were dropped off */
      readonly credentialRef?: string;
    };
    answer: {
      readonly act: string;
      /** empty where the name gives none */
      readonly slug: string;
      readonly tenantId: string;
      readonly title: string;
      /** it is so, or becomes so, already: nothing would be begun */
      readonly already: boolean;
      /** why it would be refused, as far as that is known; none: it may begin */
      readonly refusals: readonly ({
        readonly code: string;
        readonly message: string;
      })[];
      /** what would break, or can't be told */
      readonly warnings: readonly ({
        readonly code: string;
        readonly message: string;
      })[];
      /** what would be done, in its order */
      readonly does: readonly string[];
      readonly makes: readonly ({
        readonly part: "database" | "storage" | "vectors" | "backup" | "identity";
        readonly kind: string;
        readonly name: string;
      })[];
      readonly goes: readonly ({
        readonly part: "database" | "storage" | "vectors" | "backup" | "identity";
        readonly kind: string;
        readonly name: string;
      })[];
      /** what the tenant uses now, where the act depends on it */
      readonly use: readonly ({
        readonly thing: string;
        readonly measure: "bytes" | "memory-bytes" | "connections";
        readonly value: number;
        readonly limit: number | null;
      })[];
      /** the steps of the saga that would begin */
      readonly steps: readonly string[];
      /** the command that takes it back; null: nothing does */
      readonly wayBack: string | null;
    };
  };
  /** What became of a request or an act */
  "GET /v1/inbox/{inboxId}": {
    path: { inboxId: number };
    query: Record<never, never>;
    body: undefined;
    answer: {
      readonly inboxId: number;
      readonly kind: string;
      /** ISO 8601, UTC */
      readonly createdAt: string;
      readonly doneAt: string | null;
      /** null while the shard's owner did not apply it */
      readonly result: Readonly<Record<string, unknown>> | null;
    };
  };
}
