import assert from "node:assert/strict";
import { test } from "node:test";
import { stepNames } from "@deeplens/contracts";
import { buildMachine } from "./build.ts";
import { checkTable, dependentsOf, provisioning, type SagaTable } from "./table.ts";

test("the product's table stands, and names the product's steps", () => {
  checkTable(provisioning);
  assert.deepEqual(
    provisioning.map(({ step }) => step),
    stepNames,
  );
});

const wrong: readonly [string, SagaTable, RegExp][] = [
  ["waits for a step that there is not", [{ step: "a", after: ["b"] }], /a waits for b/],
  ["waits for itself", [{ step: "a", after: ["a"] }], /a waits for a/],
  [
    "goes in a circle",
    [
      { step: "a", after: ["b"] },
      { step: "b", after: ["a"] },
    ],
    /a waits for b/,
  ],
  [
    "names a step twice",
    [
      { step: "a", after: [] },
      { step: "a", after: [] },
    ],
    /a stands twice/,
  ],
  [
    "has work beside its pivot",
    [
      { step: "a", after: [] },
      { step: "b", after: [] },
      { step: "p", after: ["a"], pivot: true },
    ],
    /pivot p must wait for every other step/,
  ],
  [
    "has work after its pivot",
    [
      { step: "a", after: [] },
      { step: "p", after: ["a"], pivot: true },
      { step: "b", after: ["p"] },
    ],
    /pivot p must wait for every other step/,
  ],
];

for (const [what, table, message] of wrong)
  test(`a table that ${what} is refused, and no machine is built from it`, () => {
    assert.throws(() => checkTable(table), message);
    assert.throws(() => buildMachine("wrong", table), message);
  });

test("a pivot may wait for the others by way of others", () => {
  checkTable([
    { step: "a", after: [] },
    { step: "b", after: ["a"] },
    { step: "p", after: ["b"], pivot: true },
  ]);
});

test("what is undone before a step is what waited for it", () => {
  const dependents = Object.fromEntries(
    provisioning.map(({ step }) => [step, dependentsOf(provisioning, step)]),
  );
  assert.deepEqual(dependents, {
    database: ["backup"],
    storage: ["identity"],
    vectors: ["backup"],
    backup: ["identity"],
    identity: [],
  });
});
