/** Rows of words of one length, as products of sets: `[["a", "b"], ["c"]]` is the rows `a c` and `b c`. */
export type Box = readonly (readonly string[])[];

/** The rows as few boxes, in an order that is always the same: rows that differ in one place alone become one. */
export const boxesOf = (rows: readonly (readonly string[])[]): Box[] => {
  let boxes: Box[] = rows.map((row) => row.map((word) => [word]));
  for (let place = 0; place < (rows[0]?.length ?? 0); place += 1) {
    const merged = new Map<string, Box>();
    for (const box of boxes) {
      const key = JSON.stringify(box.map((words, at) => (at === place ? "" : words)));
      const known = merged.get(key);
      const words = [...(known?.[place] ?? []), ...(box[place] ?? [])].sort();
      merged.set(
        key,
        box.map((old, at) => (at === place ? words : old)),
      );
    }
    boxes = [...merged.values()];
  }
  return boxes.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
};

/** What `boxesOf` took. */
export const rowsIn = (boxes: readonly Box[]): string[][] =>
  boxes.flatMap((box) =>
    box.reduce<string[][]>((rows, words) => rows.flatMap((row) => words.map((word) => [...row, word])), [[]]),
  );
