import assert from "node:assert/strict";
import { test } from "node:test";
import type { IHeaders } from "@deeplens/messaging";
import { headersFrom, storedHeadersOf } from "./stored-headers.ts";

const bytesOf = (headers: IHeaders): Record<string, string[]> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      [value ?? []].flat().map((one) => Buffer.from(one).toString("hex")),
    ]),
  );

test("headers come out of the outbox byte for byte, through JSON as Postgres keeps it", () => {
  const headers: IHeaders = {
    text: "plain",
    buffered: Buffer.from("ä €"),
    empty: "",
    emptyBytes: Buffer.alloc(0),
    binary: Buffer.from([0xff, 0xfe, 0x00, 0x80]),
    zero: Buffer.from("a\0b"),
    surrogate: Buffer.from([0xed, 0xa0, 0x80]),
    replacement: Buffer.from("\uFFFD"),
    twice: ["a", Buffer.from([0xc3]), "a"],
    base64: '{"base64":"AA=="}',
  };
  const stored = storedHeadersOf(headers);
  const text = JSON.stringify(stored);
  assert.ok(!text.includes("\\u0000"), "jsonb takes no zero character");
  assert.deepEqual(bytesOf(headersFrom(JSON.parse(text))), bytesOf(headers));
});

test("a header without a value is left out; a name that jsonb does not take is made one that it does", () => {
  assert.deepEqual(storedHeadersOf({ gone: undefined, "a\0b": "x", "\ud800": "y" }), {
    "a\uFFFDb": "x",
    "\uFFFD": "y",
  });
});
