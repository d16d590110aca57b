import type { InboxBody, InboxResult } from "../saga/inbox.ts";
import type { Db } from "./tables.ts";

export interface InboxRow {
  readonly id: number;
  readonly kind: string;
  readonly createdAt: Date;
  readonly doneAt: Date | null;
  readonly result: InboxResult | null;
}

/** Puts a row into the inbox of a shard, which wakes its owner; gives the row's id. */
export const putIntoInbox = async ({ pool, tables }: Db, shard: number, body: InboxBody): Promise<number> => {
  const { rows } = await pool.query<{ id: number }>(
    `INSERT INTO ${tables.inbox} (shard, body) VALUES ($1, $2) RETURNING id`,
    [shard, JSON.stringify(body)],
  );
  const row = rows[0];
  if (row === undefined) throw new Error("the inbox took no row");
  return row.id;
};

/** The row as it is now; undefined where there is none. */
export const readInbox = async ({ pool, tables }: Db, id: number): Promise<InboxRow | undefined> => {
  const { rows } = await pool.query<InboxRow>(
    `SELECT id, body->>'kind' AS kind, created_at AS "createdAt", done_at AS "doneAt", result
     FROM ${tables.inbox} WHERE id = $1`,
    [id],
  );
  return rows[0];
};

/** Waits for the results of inbox rows. */
export interface InboxWaiter {
  /** What the shard's owner answered to that kind of row, or undefined where it did not within `waitMs`. */
  resultOf<Result extends { ok: boolean } = InboxResult>(
    id: number,
    waitMs: number,
  ): Promise<Result | undefined>;
}

const pollMs = 50;

interface Waiting {
  /** The result is what the owner made of this kind of row. */
  readonly settle: (result: unknown) => void;
  readonly untilMs: number;
}

/** One query for all that wait, every 50 ms while somebody does. A query that fails is tried again at the next turn. */
export const createInboxWaiter = ({ pool, tables }: Db): InboxWaiter => {
  const waiting = new Map<number, Waiting>();
  let running = false;

  const look = async (): Promise<void> => {
    const { rows } = await pool.query<{ id: number; result: unknown }>(
      `SELECT id, result FROM ${tables.inbox} WHERE id = ANY($1::bigint[]) AND done_at IS NOT NULL`,
      [[...waiting.keys()]],
    );
    for (const { id, result } of rows) finish(id, result);
  };
  const finish = (id: number, result: unknown): void => {
    waiting.get(id)?.settle(result);
    waiting.delete(id);
  };
  const run = async (): Promise<void> => {
    while (waiting.size > 0) {
      // A look that failed is repeated below; a caller whose time is over gets its 202 all the same.
      await look().catch(() => undefined);
      const nowMs = performance.now();
      for (const [id, { untilMs }] of waiting) if (nowMs >= untilMs) finish(id, undefined);
      if (waiting.size > 0) await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    running = false;
  };

  return {
    resultOf: <Result>(id: number, waitMs: number) =>
      new Promise<Result | undefined>((resolve) => {
        const settle = (result: unknown): void => resolve(result as Result | undefined);
        waiting.set(id, { settle, untilMs: performance.now() + waitMs });
        if (running) return;
        running = true;
        void run();
      }),
  };
};
