import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { countCommands, restoreCommand } from "./redis-stream.ts";

const whole = Buffer.concat([
  restoreCommand({ key: Buffer.from("a"), payload: Buffer.from("*1\r\n$1\r\n\r\n"), expiresAtMs: undefined }),
  restoreCommand({
    key: Buffer.from([0, 255, 10]),
    payload: Buffer.alloc(0),
    expiresAtMs: 1_795_000_000_000,
  }),
]);
const inPieces = (bytes: Buffer, size: number): Readable =>
  Readable.from(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, (at + 1) * size),
    ),
  );

test("a key is put back by one command, with the moment at which it ends", () => {
  const text = restoreCommand({
    key: Buffer.from("k"),
    payload: Buffer.from("p"),
    expiresAtMs: 5,
  }).toString();
  assert.equal(
    text,
    "*6\r\n$7\r\nRESTORE\r\n$1\r\nk\r\n$1\r\n5\r\n$1\r\np\r\n$7\r\nREPLACE\r\n$6\r\nABSTTL\r\n",
  );
});

test("commands are counted whatever is in their words and however they come in", async () => {
  for (const size of [1, 2, 3, 7, 1_000]) assert.equal(await countCommands(inPieces(whole, size)), 2);
  assert.equal(await countCommands(Readable.from([])), 0);
});

test("what ends inside a command, or is none, is refused", async () => {
  await assert.rejects(countCommands(inPieces(whole.subarray(0, -1), 8)), /ends inside/);
  await assert.rejects(countCommands(inPieces(Buffer.from("GET a\r\n"), 8)), /no stream/);
  await assert.rejects(countCommands(inPieces(Buffer.alloc(100, "x"), 8)), /no stream/);
});
