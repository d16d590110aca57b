import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { type Pool, withConnection } from "./pool.ts";

const poolOf = (client: EventEmitter, released: unknown[]): Pool =>
  ({
    connect: async () => Object.assign(client, { release: (error: unknown) => released.push(error) }),
  }) as unknown as Pool;

// Seen to fail: without a listener the emitted error is thrown, as the driver's would end the process.
test("a connection that breaks while it is held does not end the process, and is closed", async () => {
  const client = new EventEmitter();
  const released: unknown[] = [];
  const broken = new Error("Connection terminated unexpectedly");
  const result = await withConnection(poolOf(client, released), async () => {
    client.emit("error", broken);
    return "done";
  });
  assert.equal(result, "done");
  assert.deepEqual(released, [broken]);
  assert.equal(client.listenerCount("error"), 0);
});

test("a connection whose work failed is closed: nobody knows which locks its session holds", async () => {
  const released: unknown[] = [];
  const failure = new Error("no such table");
  await assert.rejects(
    withConnection(poolOf(new EventEmitter(), released), () => Promise.reject(failure)),
    failure,
  );
  assert.deepEqual(released, [failure]);
});

test("a connection whose work was done goes back", async () => {
  const released: unknown[] = [];
  await withConnection(poolOf(new EventEmitter(), released), async () => undefined);
  assert.deepEqual(released, [undefined]);
});
