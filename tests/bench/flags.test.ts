import assert from "node:assert/strict";
import { test } from "node:test";
import { type Flags, helpOf, readFlags, UsageError, wholeNumber, wholeNumbers } from "./flags.ts";

const flags: Flags = {
  runs: { type: "string", value: "N", default: "3", help: "how often" },
  quick: { type: "boolean", help: "a tenth" },
};

test("flags have their defaults, and what is no flag is refused", () => {
  assert.deepEqual({ ...readFlags(flags, ["--quick"]) }, { runs: "3", quick: true });
  for (const argv of [["--slow"], ["--runs"], ["word"]])
    assert.throws(() => readFlags(flags, argv), UsageError, argv.join(" "));
});

test("a number is whole and not too small", () => {
  assert.equal(wholeNumber({ runs: "4" }, "runs", 1), 4);
  assert.deepEqual(wholeNumbers({ instances: "1,2,4" }, "instances", 1), [1, 2, 4]);
  for (const runs of ["0", "1.5", "", "many", undefined])
    assert.throws(() => wholeNumber({ runs }, "runs", 1), UsageError, String(runs));
});

test("the help names each flag with its default", () => {
  assert.equal(
    helpOf(flags),
    "  --runs N               how often (default 3)\n  --quick                a tenth",
  );
});
