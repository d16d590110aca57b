import { inTransaction, type Queryable } from "@deeplens/postgres";
import type { Logger } from "@deeplens/telemetry";
import { putIntoInbox } from "../api/inbox-row.ts";
import type { Db } from "../api/tables.ts";
import { type Rounds, startRounds } from "../rounds.ts";
import { sameCodes } from "../saga/health.ts";
import { followTenants, readChanges, setEvery } from "./probe-rows.ts";

const followEveryMs = 10_000;
const tenantsOfShardAtOnce = 100;
const tellEveryMs = 30_000;

/**
 * Keeps the list of who is looked at, and tells the engine what was seen where that is news, by the inbox of the tenant's
 * shard. Each round costs what has changed since the last one, however many tenants there are. One orchestrator of several
 * does a round; two at once would do no harm.
 */
export const startHealthWatch = (options: {
  readonly db: Db;
  /** How often each part of a tenant is looked at, in ms. */
  readonly everyMs: number;
  readonly log: Logger;
}): Rounds => {
  const { db, everyMs, log } = options;
  const failed = (error: Error): void =>
    log.warn({ reason: error.message }, "tenants' health can't be watched now");
  let isSet = false;
  const follow = async (client: Queryable): Promise<void> => {
    if (!isSet) await setEvery(client, everyMs);
    isSet = true;
    await followTenants(client, db.tables, everyMs, tenantsOfShardAtOnce);
  };
  const rounds = [
    startRounds(followEveryMs, () => alone(db, "health-watch", follow), failed),
    startRounds(tellEveryMs, () => alone(db, "health-news", () => tellChanges(db)), failed),
  ];
  return { stop: async () => void (await Promise.all(rounds.map((round) => round.stop()))) };
};

/** Does the work unless another orchestrator is at it. */
const alone = (db: Db, lock: string, work: (client: Queryable) => Promise<void>): Promise<void> =>
  inTransaction(db.pool, async (client) => {
    const { rows } = await client.query<{ mine: boolean }>(
      "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS mine",
      [lock],
    );
    if (rows[0]?.mine === true) await work(client);
  });

/** Puts what was seen and is not known into the inboxes. */
export const tellChanges = async (db: Db, tenantId: string | null = null): Promise<void> => {
  for (const { shard, known, ill, ...tenant } of await readChanges(db.pool, db.tables.tenants, tenantId))
    if (!sameCodes(known, ill)) await putIntoInbox(db, shard, { kind: "health", ...tenant, ill });
};
