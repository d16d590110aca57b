/** Rows as columns of text, two blanks apart; the last column is not padded. */
export const columns = (rows: readonly (readonly string[])[], indent = ""): string => {
  const widths: number[] = [];
  for (const row of rows)
    for (const [place, cell] of row.entries()) widths[place] = Math.max(widths[place] ?? 0, cell.length);
  return rows
    .map((row) =>
      (
        indent +
        row
          .map((cell, place) => (place === row.length - 1 ? cell : cell.padEnd(widths[place] ?? 0)))
          .join("  ")
      ).trimEnd(),
    )
    .join("\n");
};

/** 950 ms, 12.3 s, 2 min 5 s, 3 h 4 min, 6 d 23 h. */
export const duration = (ms: number): string => {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds >= 48 * 3_600)
    return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
};

/** A time of the API without its date's T and its fractions. */
export const moment = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;

// Names and messages may come from anybody: what could move the cursor or hide text is shown as what it is.
const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu;

/** Text of others, safe to print on a terminal in one line. */
export const shown = (text: string): string =>
  text.replace(invisible, (mark) => `\\u{${(mark.codePointAt(0) ?? 0).toString(16)}}`);
