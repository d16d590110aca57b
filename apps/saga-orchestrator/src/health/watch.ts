import { inTransaction } from "@deeplens/postgres";
import type { Logger } from "@deeplens/telemetry";
import { putIntoInbox } from "../api/inbox-row.ts";
import type { Db } from "../api/tables.ts";
import { type Rounds, startRounds } from "../rounds.ts";
import { sameCodes } from "../saga/health.ts";
import { readChanges, syncProbes } from "./probe-rows.ts";

const roundMs = 30_000;
const lockName = "health-watch";

/**
 * Keeps the list of who is looked at, and tells the engine what was seen where that is news, by the inbox of the tenant's
 * shard. One orchestrator of several does a round; two rounds at once would do no harm.
 */
export const startHealthWatch = (options: {
  readonly db: Db;
  /** How often each part of a tenant is looked at, in ms. */
  readonly everyMs: number;
  readonly log: Logger;
}): Rounds => {
  const { db, everyMs, log } = options;
  const round = async (): Promise<void> => {
    const mine = await inTransaction(db.pool, async (client) => {
      const { rows } = await client.query<{ mine: boolean }>(
        "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS mine",
        [lockName],
      );
      if (rows[0]?.mine !== true) return false;
      await syncProbes(client, db.tables.tenants, everyMs);
      return true;
    });
    if (mine) await tellChanges(db);
  };
  return startRounds(roundMs, round, (error) =>
    log.warn({ reason: error.message }, "tenants' health can't be watched now"),
  );
};

/** Puts what was seen and is not known into the inboxes. */
export const tellChanges = async (db: Db, tenantId: string | null = null): Promise<void> => {
  for (const { shard, known, ill, ...tenant } of await readChanges(db.pool, db.tables.tenants, tenantId))
    if (!sameCodes(known, ill)) await putIntoInbox(db, shard, { kind: "health", ...tenant, ill });
};
