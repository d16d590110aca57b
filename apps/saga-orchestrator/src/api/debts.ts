import { type StepName, unreachable } from "@deeplens/contracts";
import type { z } from "zod";
import { actTables, isOperation } from "../machine/act-table.ts";
import { ofWorkers } from "../store/of-workers.ts";
import { conditions } from "./conditions.ts";
import { type Paging, pageOf, startOf } from "./cursor.ts";
import type { debtSchema } from "./desk-schemas.ts";
import type { SagaRow } from "./saga-view.ts";
import type { Db } from "./tables.ts";

export type Debt = z.infer<typeof debtSchema>;
type Left = Debt["left"];

interface LedgerRow {
  readonly owner: string;
  readonly step: string;
  readonly kind: string;
  readonly name: string;
  readonly state: string;
}

/** True of a saga, in SQL, whose undo, or the look after it, failed for good. */
export const owes = "status = 'stuck' AND snapshot->'value'->>'course' IN ('stuckUndo', 'stuckLook')";

const owed: ReadonlySet<string> = new Set(["undoFailed", "lookFailed"]);

/** Undos, and looks after them, that failed for good: a page of sagas that owe one, newest first. */
export const readDebts = async (db: Db, paging: Paging): Promise<{ items: Debt[]; next: string | null }> => {
  const where = conditions();
  where.add(() => owes);
  where.before("created_at", "saga_id", startOf(paging));
  const { rows } = await db.pool.query<SagaRow & { microseconds: number }>(
    `SELECT *, (extract(epoch FROM created_at) * 1000000)::bigint AS microseconds FROM ${db.tables.sagas}
      ${where.sql()} ORDER BY created_at DESC, saga_id DESC LIMIT ${paging.limit + 1}`,
    where.values,
  );
  const left = await readLeft(
    db,
    rows.map(({ tenant_id }) => tenant_id),
  );
  const page = pageOf(
    rows,
    paging,
    (row) => ({ microseconds: row.microseconds, id: row.saga_id }),
    (row) => debtsOf(row, left),
  );
  return { items: page.items.flat(), next: page.next };
};

/** What the workers' ledger says of these tenants that is not gone; nothing where no worker has run yet. */
const readLeft = async ({ pool }: Db, owners: readonly string[]): Promise<readonly LedgerRow[]> => {
  if (owners.length === 0) return [];
  const { rows } = await ofWorkers<{ rows: LedgerRow[] }>(
    pool.query<LedgerRow>(
      `SELECT owner, step, kind, name, state FROM worker.ledger
        WHERE owner = ANY ($1::uuid[]) AND state <> 'gone' ORDER BY kind, name`,
      [owners],
    ),
    { rows: [] },
  );
  return rows;
};

const debtsOf = (row: SagaRow, ledger: readonly LedgerRow[]): Debt[] =>
  Object.entries(row.snapshot.value)
    .filter(([, state]) => owed.has(state))
    .map(([step, state]) => {
      const record = row.steps[step];
      const part = partOf(row.kind, step);
      const left = ledger
        .filter((line) => line.owner === row.tenant_id && line.step === part)
        .map(({ kind, name, state: stands }) => ({ kind, name, state: stands }));
      const error = record?.error ?? row.error ?? { code: "unknown", message: "" };
      return {
        sagaId: row.saga_id,
        tenantId: row.tenant_id,
        slug: row.slug,
        kind: row.kind,
        step,
        part,
        state,
        code: error.code,
        message: error.message,
        since: (row.finished_at ?? row.updated_at).toISOString(),
        attempts: record?.attempts[state === "lookFailed" ? "look" : "undo"] ?? 0,
        left,
        manual: manualSteps(part, left, row),
      };
    });

/** Whose worker does a step: in provisioning they have one name. */
export const partOf = (kind: string, step: string): string =>
  actTables
    .find((table) => table.kind === kind)
    ?.steps.filter(isOperation)
    .find((one) => one.step === step)?.part ?? step;

const manualSteps = (part: string, left: Left, { slug, tenant_id }: SagaRow): string[] => [
  `see that the ${part} worker runs and reaches its service; then \`tenantctl retry ${slug}\` tries the undo again`,
  ...left.map(
    (one) => `where it is tenant ${tenant_id}'s and still there: ${removalOf(part as StepName, one)}`,
  ),
  `when nothing is left: \`tenantctl retry ${slug}\`: the undo finds nothing, and is done`,
];

const removalOf = (part: StepName, { kind, name }: Left[number]): string => {
  switch (part) {
    case "database":
      return `remove the ${kind} ${name} (Postgres: DROP DATABASE "${name}" WITH (FORCE), DROP ROLE; Redis: ACL DELUSER; Kafka: delete the topic)`;
    case "storage":
      return `remove the ${kind} ${name} from MinIO with \`mc\` (service account, user and policy before the bucket)`;
    case "vectors":
    case "backup":
      return `remove the ${kind} ${name} (docker rm --force, docker volume rm)`;
    case "identity":
      return `ask the Identity API's operators to remove the ${kind} ${name}: it has no call for it`;
    default:
      return unreachable(part);
  }
};
