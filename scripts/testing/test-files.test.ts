import assert from "node:assert/strict";
import { test } from "node:test";
import { closingLine, sum } from "./run-tests.ts";
import { sortTests } from "./test-files.ts";

const files = [
  "tests/e2e/acme.test.ts",
  "apps/a/src/x.int.test.ts",
  "libs/b/src/y.test.ts",
  "tests/faults/z.int.test.ts",
];

test("what needs no service, what needs one and what needs the stack to itself are told apart", () => {
  assert.deepEqual(sortTests(files, []), {
    memory: ["libs/b/src/y.test.ts"],
    services: ["apps/a/src/x.int.test.ts"],
    alone: ["tests/e2e/acme.test.ts", "tests/faults/z.int.test.ts"],
  });
});

test("a part of a path chooses files", () => {
  assert.deepEqual(sortTests(files, ["apps/a"]), {
    memory: [],
    services: ["apps/a/src/x.int.test.ts"],
    alone: [],
  });
});

test("the closing line is the sum", () => {
  assert.equal(closingLine(sum({ passed: 3, failed: 0 }, { passed: 4, failed: 1 })), "7 passed, 1 failed");
});
