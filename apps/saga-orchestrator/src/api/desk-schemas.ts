import { z } from "zod";
import { sagaStatuses, tenantStates } from "./schemas.ts";

// What the operators' desk reads beside tenants and sagas.

const time = z.iso.datetime();
const count = z.int().min(0);

export const causeSchema = z.strictObject({
  step: z.string().nullable().meta({ description: "null: no step of the saga, an operator's abort" }),
  code: z.string(),
});

export const groupSchema = z.strictObject({
  ...causeSchema.shape,
  count,
  statuses: z.record(z.string(), count).meta({ description: "how many of them stand where" }),
  kinds: z.array(z.string()),
  oldestAt: time.meta({ description: "when the one that has waited longest failed" }),
  newestAt: time,
  example: z.string().meta({ description: "the message of the newest" }),
});
export const groupsSchema = z.strictObject({ items: z.array(groupSchema) });

const manyOf = (words: readonly string[]) =>
  z.object(Object.fromEntries(words.map((word) => [word, count])) as Record<string, typeof count>);

export const overviewSchema = z.strictObject({
  at: time,
  tenants: manyOf(tenantStates).meta({ description: "by state" }),
  degraded: count.meta({ description: "ready tenants of which a part does not work as it should" }),
  sagas: manyOf(sagaStatuses).meta({ description: "by status" }),
  groups: z.array(groupSchema).meta({ description: "the failures that wait for somebody, most first" }),
  debts: count,
  workers: z.array(
    z.strictObject({
      step: z.string(),
      alive: count.meta({ description: "processes that take its commands" }),
      lag: count.nullable().meta({ description: "commands not finished yet; null where Kafka does not say" }),
      versions: z.array(z.string()),
    }),
  ),
  deadLetters: z
    .array(z.strictObject({ topic: z.string(), count }))
    .nullable()
    .meta({ description: "topics that hold any; null where Kafka does not say" }),
  backups: z.strictObject({
    overdue: count.meta({
      description: "tenants whose newest backup is older than a day, or that have none",
    }),
    tenants: z.array(z.strictObject({ slug: z.string(), lastBackupAt: time.nullable() })),
  }),
  stoppedPartitions: count,
});

export const debtSchema = z.strictObject({
  sagaId: z.uuid(),
  tenantId: z.uuid(),
  slug: z.string(),
  kind: z.string(),
  step: z.string(),
  part: z.string().meta({ description: "whose worker could not undo it" }),
  state: z.string().meta({ description: "undoFailed or lookFailed" }),
  code: z.string(),
  message: z.string(),
  since: time,
  attempts: count,
  left: z
    .array(z.strictObject({ kind: z.string(), name: z.string(), state: z.string() }))
    .meta({ description: "what the ledger says is there, or may be" }),
  manual: z.array(z.string()).meta({ description: "what to do by hand, each a step" }),
});

export const auditEntrySchema = z.strictObject({
  id: z.int(),
  at: time,
  actor: z.string(),
  action: z.string(),
  subject: z.string(),
  reason: z.string().nullable(),
  origin: z.string().nullable().meta({ description: "the address that it was asked from" }),
  outcome: z.string(),
});

export const auditQuerySchema = z.strictObject({
  actor: z.string().max(200).optional(),
  action: z.string().max(100).optional().meta({ description: "saga.retry, or its beginning: saga." }),
  subject: z
    .string()
    .max(200)
    .optional()
    .meta({ description: "a saga's or tenant's id, or what else was acted on" }),
  since: time.optional(),
  cursor: z.string().max(300).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

const point = z.strictObject({ at: time, history: z.int(), event: z.string() });

export const machineSchema = z.strictObject({
  kind: z.string(),
  version: z.int(),
  regions: z.array(
    z.strictObject({
      region: z.string().meta({ description: "a step, or `course` for the saga as a whole" }),
      after: z.array(z.string()).meta({ description: "the steps that must be done before it" }),
      initial: z.string(),
      current: z.string(),
      nodes: z.array(
        z.strictObject({
          state: z.string(),
          visited: count.meta({ description: "how often this saga came into it" }),
          current: z.boolean(),
        }),
      ),
      edges: z.array(
        z.strictObject({
          from: z.string(),
          to: z.string(),
          event: z.string().nullable().meta({ description: "null: at once, when its condition holds" }),
          taken: count,
        }),
      ),
      path: z.array(z.strictObject({ from: z.string().nullable(), to: z.string(), ...point.shape })),
    }),
  ),
  complete: z.boolean().meta({ description: "false: the history was longer than what was read" }),
});
