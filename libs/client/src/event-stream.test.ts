import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEvents, type StreamEvent } from "./event-stream.ts";

const text =
  'retry: 1000\n\n: heartbeat\n\nid: 7\nevent: history\ndata: {"a":1}\n\ndata: one\ndata: two\r\n\r\nevent: half\ndata: x';

const parse = async (chunks: readonly string[]): Promise<StreamEvent[]> => {
  const events: StreamEvent[] = [];
  for await (const event of parseEvents(toAsync(chunks))) events.push(event);
  return events;
};
async function* toAsync(chunks: readonly string[]): AsyncGenerator<string> {
  yield* chunks;
}

const expected: StreamEvent[] = [
  { id: "7", event: "history", data: '{"a":1}' },
  { id: undefined, event: "message", data: "one\ntwo" },
];

test("a stream gives its events; heartbeats and an event that broke off are none", async () => {
  assert.deepEqual(await parse([text]), expected);
});

test("the events are the same wherever the stream was cut", async () => {
  for (let cut = 1; cut < text.length; cut++)
    assert.deepEqual(await parse([text.slice(0, cut), text.slice(cut)]), expected, `cut at ${cut}`);
  assert.deepEqual(await parse([...text]), expected);
});
