import { isDropOffReference, rotatedParts, stepNames, tierNames } from "@deeplens/contracts";
import { z } from "zod";
import { plannedActs } from "../plans/words.ts";
import { longestGraceMs } from "../saga/removal-requests.ts";
import type { SagaStatus, TenantState } from "../saga/saga.ts";
import { ifMatch } from "./etag.ts";

// What goes in and out of the API. These schemas validate, type the routes, and are shown in /openapi.json.

const time = z.iso.datetime().meta({ description: "ISO 8601, UTC" });
const optionalTime = time.nullable();
const jsonObject = z.record(z.string(), z.unknown());

export const problemSchema = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: "what happened, and to which tenant" }),
    code: z.string().meta({ description: "for programs" }),
    next: z.string().meta({ description: "what to do now" }),
    field: z.string().optional(),
    tenantId: z.string().optional(),
    sagaId: z.string().optional(),
    state: z.string().optional(),
    errors: z.array(z.strictObject({ field: z.string(), message: z.string() })).optional(),
  })
  .meta({ description: "RFC 9457 problem details, as application/problem+json" });

// Texts of a request have no rules here but their length: what breaks a rule is answered, and remembered, by the
// shard's owner, in the same way as what comes by Kafka.
const text = z.string().max(4_096);

// Refused here, before it is stored: it may be a credential.
const dropOffReferenceSchema = text.refine(
  isDropOffReference,
  "must be what POST /v1/secrets answered: drop:<uuid>; never the credentials",
);

export const tenantRequestSchema = z.strictObject({
  name: text.meta({ description: "the tenant's name; its slug is made from it" }),
  tier: text.meta({ description: "free, professional or enterprise" }),
  storage: z.strictObject({
    type: text.meta({ description: "deeplens, none, or byos: the tenant's own, described by what follows" }),
    provider: text.nullish().meta({ description: "aws_s3, azure_blob or gcs" }),
    bucket: text.nullish().meta({ description: "the bucket; for azure_blob the container" }),
    endpoint: text.nullish().meta({ description: "where the service is, unless it is the provider's own" }),
    region: text.nullish().meta({ description: "aws_s3 only" }),
    prefix: text.nullish().meta({ description: "the folder of the bucket that is the tenant's" }),
    pathStyle: z.boolean().nullish().meta({ description: "aws_s3 only: the bucket is named in the path" }),
    credentialRef: dropOffReferenceSchema.nullish(),
  }),
  administrator: z
    .strictObject({ email: text, firstName: text, lastName: text })
    .meta({ description: "the tenant's first administrator" }),
});

export const requestHeadersSchema = z.object({
  "idempotency-key": z
    .string("is missing: send a key of your own with each request, the same key when you repeat it")
    .regex(/^[\x21-\x7e]{1,200}$/, "must be 1 to 200 visible ASCII characters")
    .meta({
      description: "the request's id: the same key again gets the same answer, and makes no second tenant",
    }),
});

export const actorHeadersSchema = z.object({
  "x-deeplens-actor": z
    .string()
    .regex(/^[\x20-\x7e]{1,200}$/, "must be 1 to 200 ASCII characters")
    .optional()
    .meta({ description: "who acts, for the record; `api` where it is missing" }),
});

/** Of an act that may be bound to what its asker saw. */
export const actHeadersSchema = actorHeadersSchema.extend({ "if-match": ifMatch });

export const acceptedSchema = z.strictObject({
  tenantId: z.uuid(),
  slug: z.string(),
  sagaId: z.uuid().nullable().meta({ description: "null while the request waits in the inbox" }),
  status: z.string(),
  repeated: z.boolean().meta({ description: "true when this request had been made before" }),
  inboxId: z.int().meta({ description: "GET /v1/inbox/{id} says what became of the request" }),
});

export const tenantSchema = z.strictObject({
  tenantId: z.uuid(),
  slug: z.string(),
  name: z.string(),
  state: z.string().meta({
    description: "provisioning, ready, compensating, rolled-back, stuck, suspended, removing or removed",
  }),
  revision: z.int(),
  tier: z.string(),
  limits: z.strictObject({ storageBytes: z.int(), users: z.int(), apiCallsPerDay: z.int() }).nullable(),
  storageType: z.string(),
  resources: z.record(z.string(), z.string()),
  degraded: z
    .strictObject({ since: time, reason: z.string() })
    .nullable()
    .meta({ description: "why a ready tenant does not work as it should" }),
  sagaId: z.uuid().nullable().meta({ description: "the latest saga of this tenant" }),
  running: z
    .strictObject({ sagaId: z.uuid(), kind: z.string() })
    .nullable()
    .meta({ description: "the act that changes it now" }),
  suspended: z.strictObject({ since: time, reason: z.string() }).nullable(),
  rotation: z
    .strictObject({
      sagaId: z.uuid(),
      parts: z.array(z.string()),
      oldUntil: time.meta({ description: "then the old credentials end" }),
    })
    .nullable()
    .meta({ description: "while old and new credentials are good together" }),
  removal: z
    .strictObject({
      sagaId: z.uuid(),
      purgeAt: time.meta({ description: "until then it can be restored" }),
      slugHeldUntil: optionalTime.meta({
        description: "when its name is free again; null while it is not removed",
      }),
    })
    .nullable(),
  replaced: z
    .strictObject({
      sagaId: z.uuid(),
      backup: z.string(),
      parts: z.enum(["all", "database", "vectors"]),
      safetyBackup: z.string().meta({ description: "the backup of what was live before" }),
      at: time,
      until: time.meta({ description: "until then restore-back switches back to it" }),
    })
    .nullable()
    .meta({ description: "what the last restore replaced, while it is kept" }),
  createdAt: time,
  updatedAt: time,
});

const errorSchema = z.strictObject({
  step: z.string().nullable(),
  code: z.string(),
  message: z.string(),
});

const summary = {
  sagaId: z.uuid(),
  tenantId: z.uuid(),
  slug: z.string(),
  kind: z.string(),
  status: z.string().meta({
    description: "running, compensating, waiting, stuck, ready, done, undone, rolled-back, removed or closed",
  }),
  error: errorSchema.nullable().meta({ description: "why it was rolled back, or is stuck" }),
  createdAt: time,
  updatedAt: time,
  finishedAt: optionalTime,
};
export const sagaSummarySchema = z.strictObject(summary);

const receiptLineSchema = z.strictObject({
  kind: z.string(),
  name: z.string(),
  outcome: z
    .string()
    .meta({ description: "removed, absent, foreign, not-asked, kept, or what an operation proved" }),
});

export const stepSchema = z.strictObject({
  step: z.string(),
  state: z.string().meta({ description: "the machine's word for where the step is" }),
  phase: z
    .enum(["waiting", "working", "retrying", "done", "failed", "undoing", "undone", "untouched", "skipped"])
    .meta({ description: "the same in fewer words" }),
  attempts: z
    .int()
    .meta({ description: "tries up to now of what it is at: its work, its undo, the last look" }),
  attemptsAtMost: z.int().meta({ description: "with so many tries it has failed for good" }),
  nextTryAt: optionalTime.meta({
    description: "when it is tried again; null while it waits for no next try",
  }),
  fence: z.int(),
  commandedAt: optionalTime,
  startedAt: optionalTime,
  finishedAt: optionalTime,
  durationMs: z.number().nullable(),
  progress: z.string().nullable().meta({ description: "what the worker said last of what it does" }),
  error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
  resources: z.array(z.strictObject({ kind: z.string(), name: z.string() })),
  receipt: z
    .array(receiptLineSchema)
    .meta({ description: "what undoing it, or an operation, removed, looked for and proved" }),
});

export const sagaSchema = z.strictObject({
  ...summary,
  name: z.string(),
  requestId: z.string(),
  source: z.string(),
  machineVersion: z.int(),
  version: z.int(),
  course: z.string(),
  steps: z.array(stepSchema),
  waitingFor: z
    .array(z.strictObject({ timer: z.string(), step: z.string().nullable(), what: z.string(), until: time }))
    .meta({ description: "what the saga waits for, and until when" }),
});

export const historyEntrySchema = z.strictObject({
  id: z.int(),
  at: time,
  event: z.string(),
  step: z.string().nullable(),
  fence: z.int().nullable(),
  body: jsonObject,
});

export const actSchema = z.strictObject({
  reason: z.string().trim().min(3, "must say why, in 3 characters or more").max(1_000),
  step: z.string().max(60).optional().meta({ description: "retry only: this step and no other" }),
});

export const actAnswerSchema = z.strictObject({
  inboxId: z.int(),
  sagaId: z.uuid(),
  tenantId: z.uuid(),
  status: z.string().meta({ description: "the saga's, after the act; `waiting` while it was not applied" }),
});

export const tenantActSchema = z.strictObject({
  tenantId: z
    .uuid()
    .meta({ description: "the tenant meant: where another has the name by now, the act is refused" }),
  reason: z.string().trim().min(3, "must say why, in 3 characters or more").max(1_000),
  graceMs: z
    .int()
    .min(0)
    .max(longestGraceMs, "must be no more than a year")
    .optional()
    .meta({ description: "remove and grace: how long after its beginning the removal purges; 0: at once" }),
  restore: z
    .strictObject({
      backup: z.string().regex(/^\d{8}T\d{6}Z-[0-9a-f]{6}$/, "is no backup's id"),
      parts: z.enum(["all", "database", "vectors"]).default("all"),
    })
    .optional()
    .meta({ description: "restore-backup: which backup, and which parts of it" }),
  tier: z.enum(tierNames).optional().meta({ description: "tier: the one to give" }),
  parts: z
    .array(z.enum(rotatedParts))
    .min(1, "must name one part or more")
    .optional()
    .meta({ description: "rotate: the credentials of what; of every part where it is left out" }),
  overlapMs: z
    .int()
    .min(0)
    .max(longestGraceMs, "must be no more than a year")
    .optional()
    .meta({ description: "rotate and overlap: how long old and new credentials are good together" }),
  credentialRef: dropOffReferenceSchema
    .optional()
    .meta({ description: "replace-credentials: where the new ones were dropped off" }),
});

export const planToldSchema = tenantActSchema.omit({ tenantId: true, reason: true });

const remarks = z.array(z.strictObject({ code: z.string(), message: z.string() }));
const things = z.array(z.strictObject({ part: z.enum(stepNames), kind: z.string(), name: z.string() }));
export const planSchema = z
  .strictObject({
    act: z.string(),
    slug: z.string().meta({ description: "empty where the name gives none" }),
    tenantId: z.uuid(),
    title: z.string(),
    already: z.boolean().meta({ description: "it is so, or becomes so, already: nothing would be begun" }),
    refusals: remarks.meta({
      description: "why it would be refused, as far as that is known; none: it may begin",
    }),
    warnings: remarks.meta({ description: "what would break, or can't be told" }),
    does: z.array(z.string()).meta({ description: "what would be done, in its order" }),
    makes: things,
    goes: things,
    use: z
      .array(
        z.strictObject({
          thing: z.string(),
          measure: z.enum(["bytes", "memory-bytes", "connections"]),
          value: z.number(),
          limit: z.number().nullable(),
        }),
      )
      .meta({ description: "what the tenant uses now, where the act depends on it" }),
    steps: z.array(z.string()).meta({ description: "the steps of the saga that would begin" }),
    wayBack: z
      .string()
      .nullable()
      .meta({ description: "the command that takes it back; null: nothing does" }),
  })
  .meta({ description: "what an act would do; nothing was done" });

export const tenantActAnswerSchema = z.strictObject({
  inboxId: z.int(),
  slug: z.string(),
  tenantId: z.uuid(),
  sagaId: z.uuid().nullable().meta({ description: "null while the act waits in the inbox" }),
  status: z.string().meta({ description: "the saga's; or the tenant's, where it was so already" }),
  repeated: z.boolean().meta({ description: "true when it was so, or becomes so, already" }),
});

const partitionSchema = z.strictObject({
  next: z.int().nullable().meta({ description: "the next offset to be applied; null where none ever was" }),
  stopped: z.string().nullable().meta({ description: "why its owner reads it no more; null while it does" }),
});
export const shardsSchema = z.strictObject({
  items: z.array(z.strictObject({ shard: z.int(), requests: partitionSchema, replies: partitionSchema })),
});

const partition = {
  stream: z.enum(["requests", "replies"]).meta({ description: "which of the shard's partitions" }),
  from: z
    .enum(["beginning", "end"])
    .meta({ description: "apply what the log holds (again), or pass over what it held when it stopped" }),
};
export const acceptShardSchema = z.strictObject({
  stream: partition.stream,
  from: partition.from.default("beginning"),
  reason: z.string().trim().min(3, "must say why, in 3 characters or more").max(1_000),
});
export const acceptedShardSchema = z.strictObject({
  inboxId: z.int(),
  shard: z.int(),
  ...partition,
  next: z.int().nullable().meta({ description: "from where it is read on; null while it waits" }),
});

export const inboxSchema = z.strictObject({
  inboxId: z.int(),
  kind: z.string(),
  createdAt: time,
  doneAt: optionalTime,
  result: jsonObject.nullable().meta({ description: "null while the shard's owner did not apply it" }),
});

export const dropOffSchema = z.strictObject({
  credentials: jsonObject.meta({
    description:
      "as their vendor gives them: {accessKeyId, secretAccessKey, sessionToken?}, {accountName, accountKey}, {accountName, sasToken}, {connectionString}, or a Google service account's key file",
  }),
});

export const droppedOffSchema = z.strictObject({
  reference: z.string().meta({ description: "for a request's storage.credentialRef; one tenant can use it" }),
  provider: z.string(),
  expiresAt: time.meta({ description: "then it is forgotten, unless a tenant uses it" }),
});

export const revealSchema = z.strictObject({
  reason: z.string().trim().min(3, "must say why, in 3 characters or more").max(1_000),
});

export const credentialsSchema = z.strictObject({
  tenantId: z.uuid(),
  slug: z.string(),
  name: z.string(),
  resources: z.record(z.string(), z.string()),
  secrets: z.record(z.string(), z.string()).meta({ description: "by what each is for" }),
});

export const healthSchema = z.strictObject({
  tenantId: z.uuid(),
  slug: z.string(),
  state: z.string(),
  status: z.enum(["well", "degraded", "unknown"]),
  parts: z.array(
    z.strictObject({
      part: z.string(),
      status: z.enum(["well", "ill", "unknown"]).meta({ description: "unknown: its worker has not looked" }),
      checkedAt: optionalTime,
      since: optionalTime.meta({ description: "for how long it has been as it is" }),
      code: z.string().nullable(),
      reason: z.string().nullable(),
      facts: z
        .record(z.string(), z.string())
        .meta({ description: "what was seen of each thing: redis.ok, redis.latencyMs, redis.version" }),
    }),
  ),
});

export const keysSchema = z.strictObject({
  current: z.string().meta({ description: "what new secrets are encrypted under" }),
  versions: z.array(
    z.strictObject({
      version: z.string(),
      known: z.boolean().meta({ description: "false: its line is missing, and these secrets do not open" }),
      secrets: z.int(),
    }),
  ),
});

export const rewrapSchema = z.strictObject({
  reason: z.string().trim().min(3, "must say why, in 3 characters or more").max(1_000),
  atMost: z.int().min(1).max(1_000).default(200),
});

export const rewrappedSchema = z.strictObject({
  current: z.string(),
  moved: z.int(),
  left: z.int().meta({ description: "secrets still under an older version" }),
});

export const page = <Item extends z.ZodType>(item: Item) =>
  z.strictObject({
    items: z.array(item),
    next: z.string().nullable().meta({ description: "the cursor of the next page; null on the last" }),
  });

const limit = z.coerce.number().int().min(1).max(200).default(50);
const words = (allowed: readonly string[]) =>
  z
    .string()
    .transform((value) => value.split(","))
    .pipe(z.array(z.enum(allowed)))
    .meta({ description: `one or several of ${allowed.join(", ")}, with commas between` });

export const tenantStates = [
  "provisioning",
  "ready",
  "compensating",
  "rolled-back",
  "stuck",
  "suspended",
  "removing",
  "removed",
] as const satisfies readonly TenantState[];
export const sagaStatuses = [
  "running",
  "compensating",
  "waiting",
  "stuck",
  "ready",
  "done",
  "undone",
  "rolled-back",
  "removed",
  "closed",
] as const satisfies readonly SagaStatus[];

const cursor = z
  .string()
  .max(300)
  .optional()
  .meta({ description: "the `next` of the page before, with the same filters" });
const since = time.optional().meta({ description: "began at that time or later" });
const until = time.optional().meta({ description: "began before that time" });

export const tenantsQuerySchema = z.strictObject({
  state: words(tenantStates).optional(),
  text: z.string().min(1).max(60).optional().meta({ description: "the beginning of its name, as a slug" }),
  since,
  until,
  cursor,
  limit,
});

export const sagasQuerySchema = z.strictObject({
  status: words(sagaStatuses).optional(),
  step: z
    .string()
    .max(60)
    .optional()
    .meta({ description: "sagas whose error is of this step; `-`: of none" }),
  code: z.string().min(1).max(100).optional().meta({ description: "sagas with this error code" }),
  failed: z
    .enum(["true"])
    .optional()
    .meta({ description: "those that failed and that nobody has put right, as in the groups" }),
  slug: z.string().max(60).optional().meta({ description: "of tenants of this name" }),
  tenant: z
    .uuid("must be a tenant's id (a UUID)")
    .optional()
    .meta({ description: "of the tenant with this id" }),
  kind: z.string().max(60).optional().meta({ description: "provision, remove, suspend, ..." }),
  since,
  until,
  text: z
    .string()
    .min(1)
    .max(60)
    .optional()
    .meta({ description: "the beginning of the tenant's name, or a part of the error's code or message" }),
  cursor,
  limit,
});

export const pageQuerySchema = z.strictObject({ cursor, limit });

export const historyQuerySchema = z.strictObject({
  after: z.coerce.number().int().min(0).default(0).meta({ description: "entries after this id" }),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
});

export const sagaParamsSchema = z.strictObject({ sagaId: z.uuid("must be a saga's id (a UUID)") });
export const shardParamsSchema = z.strictObject({ shard: z.coerce.number().int().min(0).max(255) });
export const inboxParamsSchema = z.strictObject({ inboxId: z.coerce.number().int().positive() });
export const planParamsSchema = z.strictObject({
  tenant: z.string().min(1).max(60).meta({ description: "the tenant's slug or id" }),
  act: z.enum(plannedActs),
});

export const tenantParamsSchema = z.strictObject({
  tenant: z.string().min(1).max(60).meta({ description: "the tenant's slug or id" }),
});

export const openEvents = z.object({
  "last-event-id": z
    .string()
    .regex(/^\d{1,15}$/, "must be the id of a history entry")
    .optional(),
});

export const historyPageSchema = z.strictObject({
  items: z.array(historyEntrySchema),
  next: z.int().nullable().meta({ description: "the `after` of the next page; null on the last" }),
});
