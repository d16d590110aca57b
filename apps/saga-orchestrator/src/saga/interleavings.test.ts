import assert from "node:assert/strict";
import { test } from "node:test";
import { provisioning } from "../machine/table.ts";
import { explore } from "../testing/explore.ts";
import { invariants } from "../testing/invariants.ts";
import type { Budget, Purse } from "../testing/world.ts";

/**
 * Every order in which things can happen to one saga. What holds at every one of the states stands in words in
 * testing/invariants.ts; `states` is the number of them that was reached when the test was last changed: fewer means that
 * something can't happen any more, or isn't looked at any more.
 *
 * Seen to fail: the first machine broke five of the promises (a second look that failed, then a late completion: the
 * saga never ended; and tenants that were stuck stayed so). Of the mutations named beside the stories of the rules,
 * those of replies.ts and build.ts break some here as well.
 */
interface Case {
  readonly what: string;
  readonly budget: Budget;
  /** Tries of a step before it has failed for good. */
  readonly attempts: number;
  readonly leftOut?: readonly string[];
  readonly states: number;
}

const none: Purse = { any: 0 };
const one: Purse = { any: 1 };
const two: Purse = { any: 2 };
const oneEach: Purse = Object.fromEntries(provisioning.map(({ step }) => [step, 1]));

const cases: readonly Case[] = [
  {
    what: "one failure, one duplicate and one late completion, each of any step; no second try",
    budget: { failures: one, duplicates: one, lates: one },
    attempts: 1,
    states: 8_119,
  },
  {
    what: "one failure, one duplicate and one late completion, each of any step; with a second try",
    budget: { failures: one, duplicates: one, lates: one },
    attempts: 2,
    states: 8_218,
  },
  {
    what: "the same for a tenant that needs no storage",
    budget: { failures: one, duplicates: one, lates: one },
    attempts: 1,
    leftOut: ["storage"],
    states: 2_818,
  },
  {
    what: "two failures, of which the second may be an undo's or a second look's, and one late completion",
    budget: { failures: two, duplicates: none, lates: one },
    attempts: 2,
    states: 11_533,
  },
  {
    what: "one failure of each step, one late completion of any",
    budget: { failures: oneEach, duplicates: none, lates: one },
    attempts: 1,
    states: 36_651,
  },
  {
    what: "one failure of any step, one late completion of each",
    budget: { failures: one, duplicates: none, lates: oneEach },
    attempts: 1,
    states: 10_432,
  },
];

for (const { what, budget, attempts, leftOut = [], states } of cases)
  test(`every interleaving: ${what}`, (t) => {
    const explored = explore({ leftOut, budget, attempts });
    t.diagnostic(
      `${explored.states} states, ${explored.moves} moves, ${Object.keys(invariants).length} invariants held at each`,
    );
    assert.deepEqual(explored.broken, []);
    assert.ok(explored.states >= states, `${explored.states} states; there were ${states}`);
  });

test("the interleavings come everywhere that a saga can be", () => {
  const { courses } = explore({
    leftOut: [],
    budget: { failures: two, duplicates: none, lates: one },
    attempts: 1,
  });
  assert.deepEqual([...courses].sort(), [
    "closed",
    "compensating",
    "confirming",
    "draining",
    "forward",
    "ready",
    "rolledBack",
    "stuckForward",
    "stuckLook",
    "stuckUndo",
  ]);
});
