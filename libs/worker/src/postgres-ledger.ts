import type { TenantId } from "@deeplens/contracts";
import type { Pool } from "@deeplens/postgres";
import type { Ledger, LedgerEntry, LedgerKey } from "./ledger.ts";
import type { CommandScope, LedgerStore, Unsettled } from "./ledger-store.ts";
import { ownedByOther } from "./resource.ts";
import { FencedError } from "./step.ts";

/**
 * The ledger in the control database (schema `worker`). Every write is one statement which holds a share lock on the
 * part's row while its fence is the command's: a newer command waits for that write's commit, and then reads it; or it
 * came first, and the write is refused.
 *
 * @param processId this process, by which an intent is known as that of a process that may still run
 */
export const createLedgerStore = (pool: Pool, processId: string): LedgerStore => ({
  of: (scope) => ledgerOf(pool, processId, scope),
  async unsettled({ slug, step, tenantId }) {
    const { rows } = await pool.query<{ process: string; alive: boolean; until: Date | null }>(unsettledSql, [
      slug,
      step,
      tenantId,
    ]);
    return rows.map(
      ({ process, alive, until }): Unsettled => ({
        process,
        state: alive ? "alive" : "lost",
        until: until ?? undefined,
      }),
    );
  },
});

const unsettledSql = `
  SELECT s.process, worker.holder_of(worker.process_key(s.process)) IS NOT NULL AS alive, r.lost_at + r.doubt AS until
  FROM worker.parts p CROSS JOIN unnest(p.suspects) AS s (process) LEFT JOIN worker.processes r USING (process)
  WHERE p.slug = $1 AND p.step = $2 AND worker.lives(s.process) AND EXISTS (
    SELECT FROM worker.ledger l WHERE l.slug = $1 AND l.step = $2 AND l.owner = $3 AND l.state = 'intent'
      AND s.process = ANY (l.processes))`;

interface Row {
  readonly kind: string;
  readonly name: string;
  readonly owner: TenantId;
  readonly state: LedgerEntry["state"];
  readonly facts: Record<string, string>;
  readonly marked_by: string | null;
  readonly intended_ms_ago: number;
}

const columns = `kind, name, owner, state, facts, marked_by,
  extract(epoch FROM clock_timestamp() - intended_at)::float8 * 1000 AS intended_ms_ago`;
const part = "SELECT suspects FROM worker.parts WHERE slug = $1 AND step = $2 AND fence = $3 FOR SHARE";

const ledgerOf = (pool: Pool, processId: string, scope: CommandScope): Ledger => {
  const { tenantId, slug, step, fence, keepsIntents = false } = scope;

  const write = async (what: string, key: LedgerKey, statement: string, values: readonly unknown[]) => {
    const { rows } = await pool.query<Partial<Row> & { held: boolean }>(
      `WITH part AS MATERIALIZED (${part}), written AS (${statement})
       SELECT EXISTS (SELECT FROM part) AS held, written.* FROM (VALUES (1)) AS one LEFT JOIN written ON true`,
      [slug, step, fence, key.kind, key.name, tenantId, ...values],
    );
    if (rows[0]?.held !== true)
      throw new FencedError(`${slug}/${step}: fence ${fence} was overtaken; ${what} was not written`);
    return isRow(rows[0]) ? entryOf(rows[0]) : undefined;
  };

  return {
    async find(key) {
      const { rows } = await pool.query<Row>(
        `SELECT ${columns} FROM worker.ledger WHERE kind = $1 AND name = $2`,
        [key.kind, key.name],
      );
      return rows[0] === undefined ? undefined : entryOf(rows[0]);
    },
    async intend(key, facts = {}) {
      const entry = await write(
        "the intent",
        key,
        `INSERT INTO worker.ledger AS l (kind, name, owner, slug, step, state, facts, processes)
         SELECT $4, $5, $6::uuid, $1, $2, 'intent', $7::jsonb, ARRAY[$8] FROM part
         ON CONFLICT (kind, name) DO UPDATE SET
           owner = excluded.owner, slug = excluded.slug, step = excluded.step, state = 'intent',
           facts = CASE WHEN l.state = 'gone' THEN excluded.facts ELSE l.facts || excluded.facts END,
           doubtful = l.state <> 'gone' AND (l.doubtful OR l.state = 'intent'),
           marked_by = CASE WHEN l.state <> 'gone' THEN l.marked_by END,
           processes = CASE
             WHEN l.state = 'gone' THEN excluded.processes
             WHEN $8 = ANY (l.processes) THEN l.processes
             ELSE l.processes || excluded.processes END,
           intended_at = clock_timestamp(), updated_at = now()
         WHERE l.owner = excluded.owner OR l.state = 'gone'
         RETURNING ${columns}`,
        [JSON.stringify(facts), processId],
      );
      if (entry === undefined) throw ownedByOther(key, slug);
      return entry;
    },
    async made(key, facts = {}) {
      const entry = await write(
        "what was made",
        key,
        `UPDATE worker.ledger AS l SET state = 'made', facts = l.facts || $7::jsonb, updated_at = now() FROM part
         WHERE l.kind = $4 AND l.name = $5 AND l.owner = $6::uuid AND l.state <> 'gone'
         RETURNING ${columns}`,
        [JSON.stringify(facts)],
      );
      if (entry === undefined) throw new Error(`${key.kind} ${key.name} was made without an intent`);
    },
    // It stays open where an effect may land yet: until the second look, for a call that was given up, of this try or
    // of one before it; beyond it, for a process that never said that its handler settled, and lives.
    async gone(key) {
      await write(
        "what is gone",
        key,
        `UPDATE worker.ledger AS l SET
           state = CASE WHEN (l.state = 'intent' OR l.doubtful) AND ($7 OR EXISTS (
                          SELECT FROM unnest(l.processes) AS p WHERE p = ANY (part.suspects) AND worker.lives(p)))
                        THEN 'intent' ELSE 'gone' END,
           updated_at = now()
         FROM part WHERE l.kind = $4 AND l.name = $5 AND l.owner = $6::uuid AND l.state <> 'gone'
         RETURNING ${columns}`,
        [keepsIntents],
      );
    },
    async owned() {
      const { rows } = await pool.query<Row>(
        `SELECT ${columns} FROM worker.ledger WHERE owner = $1 AND step = $2 AND state <> 'gone' ORDER BY kind, name`,
        [tenantId, step],
      );
      return rows.map(entryOf);
    },
    async mark(sagaId) {
      const { rows } = await pool.query<{ held: boolean }>(
        `WITH part AS MATERIALIZED (${part}), marked AS (
           UPDATE worker.ledger AS l SET marked_by = $5, updated_at = now() FROM part
           WHERE l.owner = $4::uuid AND l.step = $2 AND l.state <> 'gone')
         SELECT EXISTS (SELECT FROM part) AS held`,
        [slug, step, fence, tenantId, sagaId ?? null],
      );
      if (rows[0]?.held !== true)
        throw new FencedError(`${slug}/${step}: fence ${fence} was overtaken; the marks were not written`);
    },
  };
};

const isRow = (row: Partial<Row>): row is Row => typeof row.kind === "string";

const entryOf = ({ kind, name, owner, state, facts, marked_by, intended_ms_ago }: Row): LedgerEntry => ({
  ...{ kind, name, owner, state, facts },
  ...(marked_by === null ? {} : { mark: marked_by }),
  intendedMsAgo: intended_ms_ago,
});
