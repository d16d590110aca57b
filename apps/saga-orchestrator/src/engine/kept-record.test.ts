import assert from "node:assert/strict";
import { test } from "node:test";
import { keptRecordOf, recordFrom } from "./kept-record.ts";

test("a record that an inbox row keeps comes back as it was: bytes that are no text, and no value at all", () => {
  const headers = { ce_source: Buffer.from("/tests"), odd: Buffer.from([0, 255]) };
  for (const value of [Buffer.from([0, 1, 255]), Buffer.alloc(0), null]) {
    const raw = { key: Buffer.from("acme"), value, headers, offset: "7" };
    const back = recordFrom(JSON.parse(JSON.stringify(keptRecordOf(2, raw))));
    assert.deepEqual({ ...back, headers: undefined }, { ...raw, headers: undefined });
    assert.equal(String(back.headers?.ce_source), "/tests");
    assert.deepEqual(back.headers?.odd, headers.odd);
  }
});
