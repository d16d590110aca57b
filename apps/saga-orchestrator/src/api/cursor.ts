import { Problem } from "./problem.ts";

/** Where a page ends: the time of its last row in microseconds, and that row's id. */
export interface Cursor {
  readonly microseconds: number;
  readonly id: string;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Opaque to clients; holds for rows that come later, since it names a row and not a page's number. */
export const encodeCursor = ({ microseconds, id }: Cursor): string =>
  Buffer.from(`${microseconds}/${id}`).toString("base64url");

/** @throws Problem 400 for text that encodeCursor did not make */
export const decodeCursor = (text: string): Cursor => {
  const [microseconds, id] = Buffer.from(text, "base64url").toString("utf8").split("/");
  const number = Number(microseconds);
  if (id !== undefined && uuid.test(id) && Number.isSafeInteger(number)) return { microseconds: number, id };
  throw new Problem(
    400,
    "cursor-wrong",
    `cursor: ${JSON.stringify(text.slice(0, 60))} is none that this API gave`,
    "take it from the `next` of the page before, or leave it out to begin at the newest",
    { field: "cursor" },
  );
};

/** The page of at most `limit` rows out of `limit + 1` that were asked for, and the cursor of the next one. */
export const pageOf = <Row, Item>(
  rows: readonly Row[],
  limit: number,
  cursorOf: (row: Row) => Cursor,
  itemOf: (row: Row) => Item,
): { items: Item[]; next: string | null } => {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(itemOf),
    next: rows.length > limit && last !== undefined ? encodeCursor(cursorOf(last)) : null,
  };
};
