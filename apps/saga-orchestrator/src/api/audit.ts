import type { Db } from "./tables.ts";

/** Records who did what, when, why, and what came of it. Nothing updates or deletes such a row. */
export const recordAct = async (
  { pool, tables }: Db,
  act: { actor: string; origin: string; action: string; subject: string; reason: string; outcome: string },
): Promise<void> => {
  await pool.query(
    `INSERT INTO ${tables.audit} (actor, action, subject, reason, outcome, origin) VALUES ($1, $2, $3, $4, $5, $6)`,
    [act.actor, act.action, act.subject, act.reason, act.outcome, act.origin],
  );
};
