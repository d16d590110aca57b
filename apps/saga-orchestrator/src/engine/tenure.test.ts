/** Seen to fail: with an answer taken for true however late it came, and with a confirmation that counts for ever. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Epochs } from "../store/read-batch.ts";
import { createTenure } from "./tenure.ts";

const scene = (areHeld: () => boolean = () => true) => {
  const now = { ms: 0, epochs: new Map([[0, 7]]) as Epochs };
  const asked: number[] = [];
  const lost: Epochs[] = [];
  const tenure = createTenure({
    epochs: () => now.epochs,
    areHeld: async () => {
      asked.push(now.ms);
      return areHeld();
    },
    onLost: (epochs) => lost.push(epochs),
    nowMs: () => now.ms,
  });
  return { now, asked, lost, tenure };
};

test("rule 01: what a commit confirmed lately is not asked again; what it confirmed long ago is", async () => {
  const { now, asked, tenure } = scene();
  tenure.confirmed(now.epochs, 0);
  now.ms = 4_999;
  assert.equal(await tenure.holds(), true);
  assert.deepEqual(asked, []);
  now.ms = 5_000;
  assert.equal(await tenure.holds(), true);
  assert.equal(await tenure.holds(), true);
  assert.deepEqual(asked, [5_000]);
});

test("rule 01: another's epoch in a shard row: nothing holds, and the loss is told", async () => {
  const { now, lost, tenure } = scene(() => false);
  assert.equal(await tenure.holds(), false);
  assert.deepEqual(lost, [now.epochs]);
});

test("rule 01: epochs of a take-over of our own are not confirmed by what was confirmed before it", async () => {
  const { now, asked, tenure } = scene();
  tenure.confirmed(now.epochs, 0);
  now.epochs = new Map([[0, 8]]);
  assert.equal(await tenure.holds(), true);
  assert.equal(asked.length, 1);
  now.epochs = new Map();
  assert.equal(await tenure.holds(), false);
  assert.equal(asked.length, 1);
});

test("rule 01: an answer that comes long after it was true is asked for again", async () => {
  let answers = 0;
  const { now, tenure } = scene(() => {
    answers += 1;
    // Frozen after the first question: the shard was taken meanwhile.
    now.ms += answers === 1 ? 60_000 : 1;
    return answers === 1;
  });
  assert.equal(await tenure.holds(), false);
  assert.equal(answers, 2);
});
