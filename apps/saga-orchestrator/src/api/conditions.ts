import type { Cursor } from "./cursor.ts";

/** The WHERE of a statement, made of what was asked for. */
export interface Conditions {
  readonly values: unknown[];
  /** @param condition is told the parameter's place: `$3` */
  add(condition: (place: string) => string, value?: unknown): void;
  /** Rows after where a page ended, newest first; nothing where it begins. */
  before(time: string, id: string, cursor: Cursor | undefined): void;
  sql(): string;
}

export const conditions = (): Conditions => {
  const texts: string[] = [];
  const values: unknown[] = [];
  const place = (value: unknown): string => `$${values.push(value)}`;
  return {
    values,
    add: (condition, value) => void texts.push(condition(value === undefined ? "" : place(value))),
    before: (time, id, cursor) => {
      if (cursor === undefined) return;
      const at = `'epoch'::timestamptz + ${place(cursor.microseconds)}::bigint * interval '1 microsecond'`;
      texts.push(`(${time}, ${id}) < (${at}, ${place(cursor.id)}::uuid)`);
    },
    sql: () => (texts.length === 0 ? "" : `WHERE ${texts.join(" AND ")}`),
  };
};
