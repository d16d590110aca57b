import type { Logger } from "@deeplens/telemetry";
import { putIntoInbox } from "./api/inbox-row.ts";
import type { Db } from "./api/tables.ts";
import { type Rounds, startRounds } from "./rounds.ts";

const roundMs = 60_000;

/** Begins the end of restores whose time is over: what they replaced is dropped, by a saga like any other act. */
export const startRestoreEnds = ({ db, log }: { readonly db: Db; readonly log: Logger }): Rounds =>
  startRounds(
    roundMs,
    () => endRestores(db),
    (error) => log.warn({ reason: error.message }, "what restores replaced can't be dropped now"),
  );

/**
 * Asks for the end of each restore whose time is over, by the inbox of its tenant's shard. Two that ask at once do no harm:
 * the second finds the act running, or nothing kept. While another act runs, or the tenant is not ready, it waits.
 */
export const endRestores = async (db: Db): Promise<void> => {
  const { rows } = await db.pool.query<{ tenantId: string; slug: string; shard: number }>(
    `SELECT tenant_id AS "tenantId", slug, shard FROM ${db.tables.tenants}
      WHERE acts ? 'replaced' AND (acts->'replaced'->>'until')::timestamptz <= now()
        AND NOT acts ? 'running' AND state = 'ready'`,
  );
  for (const { shard, ...tenant } of rows)
    await putIntoInbox(db, shard, {
      kind: "tenant",
      act: "restore-end",
      ...tenant,
      by: "deeplens",
      reason: "what a restore replaced was kept long enough",
    });
};
