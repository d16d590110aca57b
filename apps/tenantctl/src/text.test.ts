import assert from "node:assert/strict";
import { test } from "node:test";
import { columns, duration, shown } from "./text.ts";

test("durations are told in the unit that fits", () => {
  assert.deepEqual([0, 950, 12_340, 125_000, 3_600_000 + 240_000].map(duration), [
    "0 ms",
    "950 ms",
    "12.3 s",
    "2 min 5 s",
    "1 h 4 min",
  ]);
});

test("columns line up, and no line ends in blanks", () => {
  assert.equal(
    columns(
      [
        ["a", "bb", ""],
        ["ccc", "d", "e"],
      ],
      " ",
    ),
    " a    bb\n ccc  d   e",
  );
});

test("what could play with a terminal, or hide text, is shown as what it is", () => {
  assert.equal(shown("a\u001b[2Jb\nc\u202ed"), "a\\u{1b}[2Jb\\u{a}c\\u{202e}d");
  assert.equal(shown("Zoë 🦊"), "Zoë 🦊");
});
