import assert from "node:assert/strict";
import { test } from "node:test";
import { sharedReading } from "./shared-reading.ts";

test("who asks at the same time shares a reading; later ones, and those of another question, get their own", async () => {
  let now = 0;
  let readings = 0;
  const read = sharedReading(
    async (key: string) => `${key} ${++readings}`,
    1_000,
    () => now,
  );
  assert.deepEqual(await Promise.all([read("a"), read("a"), read("b")]), ["a 1", "a 1", "b 2"]);
  now = 999;
  assert.equal(await read("a"), "a 1");
  now = 1_000;
  assert.equal(await read("a"), "a 3");
});

test("a reading that failed is not kept", async () => {
  let fails = true;
  const read = sharedReading(
    async () => (fails ? Promise.reject(new Error("down")) : "up"),
    1_000,
    () => 0,
  );
  await assert.rejects(read(1), /down/);
  fails = false;
  assert.equal(await read(1), "up");
});
