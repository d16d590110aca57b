import assert from "node:assert/strict";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { runTool } from "./tool.ts";

const never = new AbortController().signal;
const environment = { PATH: "/usr/bin:/bin" };
const chunks = async function* (count: number): AsyncGenerator<Buffer> {
  for (let number = 0; number < count; number++) yield Buffer.alloc(64 * 1024, "x");
};

test("a program reads all of its input, and what it writes is given back", async () => {
  const tool = { command: "wc", arguments: ["-c"], environment, input: chunks(100) };
  assert.equal(Number(await runTool(tool, never, text)), 100 * 64 * 1024);
});

// A dump's list of contents is read from its beginning. Seen to fail with an input whose iterator knows no `throw`.
test("a program that has read enough ends well, and leaves the rest of its input", async () => {
  const source = chunks(1_000);
  const input: AsyncIterable<Buffer> = { [Symbol.asyncIterator]: () => ({ next: () => source.next() }) };
  const tool = { command: "head", arguments: ["-c", "3"], environment, input };
  assert.equal(await runTool(tool, never, text), "xxx");
  assert.equal((await source.next()).done, false);
});

test("an input that breaks off, and a program that fails, are told with their reasons", async () => {
  const broken = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.from("x");
    throw new Error("the disk broke off");
  };
  const cat = { command: "cat", arguments: [], environment, input: broken() };
  await assert.rejects(runTool(cat, never, text), /the disk broke off/);
  const failing = {
    command: "sh",
    arguments: ["-c", "echo no >&2; exit 3"],
    environment,
    input: chunks(100),
  };
  await assert.rejects(runTool(failing, never, text), /exit code 3: no/);
});
