import { setTimeout as delay } from "node:timers/promises";
import type { Pool } from "@deeplens/postgres";
import { auditLineOf } from "../saga/audit-line.ts";
import type { AcceptResult, InboxBody, InboxResult } from "../saga/inbox.ts";

type Answer = InboxResult | AcceptResult;

/** Stands in for the owner of every shard in tests of the API: gives each open row of the inbox the answer it is told. */
export interface FakeOwner {
  /** The rows that it applied. */
  readonly applied: readonly { readonly shard: number; readonly body: InboxBody }[];
  stop(): Promise<void>;
}

/** Starts one; `answer` plays the function that applies a row. */
export const startFakeOwner = (
  pool: Pool,
  schema: string,
  answer: (body: InboxBody) => Answer | Promise<Answer>,
): FakeOwner => {
  const applied: { shard: number; body: InboxBody }[] = [];
  let stopped = false;
  const run = async (): Promise<void> => {
    while (!stopped) {
      const { rows } = await pool.query<{ id: number; shard: number; body: InboxBody }>(
        `SELECT id, shard, body FROM ${schema}.inbox WHERE done_at IS NULL ORDER BY id`,
      );
      for (const { id, shard, body } of rows) {
        const result = await answer(body);
        const line = auditLineOf(body, shard, result);
        if (line !== undefined)
          await pool.query(
            `INSERT INTO ${schema}.audit (actor, action, subject, reason, origin, outcome) VALUES ($1, $2, $3, $4, $5, $6)`,
            [line.actor, line.action, line.subject, line.reason, line.origin, line.outcome],
          );
        await pool.query(`UPDATE ${schema}.inbox SET done_at = now(), result = $2 WHERE id = $1`, [
          id,
          JSON.stringify(result),
        ]);
        applied.push({ shard, body });
      }
      await delay(10);
    }
  };
  const running = run();
  return {
    applied,
    stop: async () => {
      stopped = true;
      await running;
    },
  };
};
