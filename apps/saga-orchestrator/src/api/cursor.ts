import { createHmac, timingSafeEqual } from "node:crypto";
import { Problem } from "./problem.ts";

/** Where a page ends: the time of its last row in microseconds, and that row's id. */
export interface Cursor {
  readonly microseconds: number;
  readonly id: string;
}

/** Makes and reads cursors: opaque to clients, and none that this installation did not give for the same list is taken. */
export interface Cursors {
  /** @param list names the list with its filters: a cursor of one is none of another */
  encode(cursor: Cursor, list: string): string;
  /** @throws Problem 400 for text that `encode` did not make for this list */
  decode(text: string, list: string): Cursor;
}

const signatureBytes = 12;

/** @param secret what no client knows, the same in every orchestrator of the installation */
export const createCursors = (secret: string): Cursors => {
  const key = createHmac("sha256", secret).update("cursors").digest();
  const signatureOf = (text: string, list: string): Buffer =>
    createHmac("sha256", key).update(`${text}\n${list}`).digest().subarray(0, signatureBytes);
  return {
    encode: ({ microseconds, id }, list) => {
      const text = `${microseconds}/${id}`;
      return Buffer.concat([signatureOf(text, list), Buffer.from(text)]).toString("base64url");
    },
    decode: (given, list) => {
      const bytes = Buffer.from(given, "base64url");
      const text = bytes.subarray(signatureBytes).toString("utf8");
      const [microseconds, id] = text.split("/");
      const signature = bytes.subarray(0, signatureBytes);
      if (
        id === undefined ||
        signature.length !== signatureBytes ||
        !timingSafeEqual(signature, signatureOf(text, list))
      )
        throw new Problem(
          400,
          "cursor-wrong",
          `cursor: ${JSON.stringify(given.slice(0, 60))} is none that this API gave for this list with these filters`,
          "take it from the `next` of the page before, with the same filters, or leave it out to begin anew",
          { field: "cursor" },
        );
      return { microseconds: Number(microseconds), id };
    },
  };
};

/** A page of a list: which one, from where, and how long. */
export interface Paging {
  readonly cursors: Cursors;
  readonly list: string;
  readonly cursor: string | undefined;
  readonly limit: number;
}

/** The paging of a query's list: its name with every filter, and none of where the page begins. */
export const pagingOf = (
  cursors: Cursors,
  name: string,
  { cursor, limit, ...filters }: { cursor?: string | undefined; limit: number },
): Paging => ({ cursors, list: `${name} ${JSON.stringify(filters)}`, cursor, limit });

/** After which row the page begins; undefined for the first one. */
export const startOf = ({ cursors, list, cursor }: Paging): Cursor | undefined =>
  cursor === undefined ? undefined : cursors.decode(cursor, list);

/** The page of at most `limit` rows out of `limit + 1` that were asked for, and the cursor of the next one. */
export const pageOf = <Row, Item>(
  rows: readonly Row[],
  { cursors, list, limit }: Paging,
  cursorOf: (row: Row) => Cursor,
  itemOf: (row: Row) => Item,
): { items: Item[]; next: string | null } => {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(itemOf),
    next: rows.length > limit && last !== undefined ? cursors.encode(cursorOf(last), list) : null,
  };
};
